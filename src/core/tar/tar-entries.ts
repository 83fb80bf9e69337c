/** What the entries of a layer's archive may be, and what must be known of all of them together. */
import { isUtf8 } from 'node:buffer';
import type { Xattr } from '../ostree-objects.ts';
import { findParentPath } from '../parent-path.ts';
import { layerRejected } from './layer-rejected.ts';
import type { TarHeader } from './tar-header.ts';
import { MalformedXattr, parsePaxXattrs } from './tar-xattrs.ts';

/** The kernel's limits: no path, name or link beyond them could be checked out. */
const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;
const MAX_TARGET_BYTES = 4095;
const MAX_OWNER = 0xfffffffe;
/** Both far above any real layer; they bound the memory that a hostile one takes. */
const MAX_ENTRIES = 2_000_000;
const MAX_NAMES_BYTES = 256 * 1024 * 1024;

export type TarEntryKind = 'file' | 'hard link' | 'symlink' | 'device node or FIFO' | 'directory';

const KINDS: ReadonlyMap<string, TarEntryKind> = new Map([
  ['0', 'file'],
  ['7', 'file'],
  ['1', 'hard link'],
  ['2', 'symlink'],
  ['3', 'device node or FIFO'],
  ['4', 'device node or FIFO'],
  ['5', 'directory'],
  ['6', 'device node or FIFO'],
]);
const OLD_SPARSE_TYPE = 'S';
/** Records that make a file sparse: they give it another name or size behind the back of `path` and `size`. */
const SPARSE_RECORD = /^(?:GNU\.sparse\.|SCHILY\.realsize$|SUN\.holesdata$)/;

/** What the headers before an entry say of it. */
export interface TarExtensions {
  readonly pax?: ReadonlyMap<string, Buffer>;
  readonly longName?: Buffer;
  readonly longLink?: Buffer;
}

export interface TarEntry {
  readonly kind: TarEntryKind;
  /** Path in the layer without leading slash, the root as `''`; no element is `.` or `..`. */
  readonly path: string;
  /** The name as the archive has it. */
  readonly name: Buffer;
  /** Bytes of content that follow. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: readonly Xattr[];
  /** Of a symlink as written, of a hard link a path like `path`; else empty. */
  readonly target: string;
}

/** What is known of all entries together. */
export interface TarSummary {
  /** Device nodes and FIFOs, which OSTree cannot keep (compatibility S-10). */
  readonly unsupportedEntries: number;
  /** Directories that exist only because something below them is named; without leading slash, the root as `''`. */
  readonly impliedDirectories: readonly string[];
  /** Whether any path has `.wh.` in it, as every whiteout has. */
  readonly mayHaveWhiteouts: boolean;
}

export class TarEntries {
  #count = 0;
  #unsupported = 0;
  #namesBytes = 0;
  #mayHaveWhiteouts = false;
  /** Directories by path, and whether the archive names them. With a directory all those above it are there. */
  readonly #directories = new Map<string, 'named' | 'implied'>();

  /**
   * Checks an entry and remembers what the summary needs of it.
   *
   * @param offset where in the archive, for the message
   * @throws AtomicError LAYER_REJECTED when it must not be unpacked
   */
  add(header: TarHeader, extensions: TarExtensions, offset: number): TarEntry {
    try {
      const name = chooseName('name', header.name, extensions.longName, extensions.pax?.get('path'));
      const kind = findKind(header, name);
      const path = readPath(name);
      if (path === '' && kind !== 'directory') throw new Refusal(`a ${kind} in the place of the root`);
      const target = readTarget(kind, header, extensions);
      const owner = { uid: readOwner('uid', header, extensions), gid: readOwner('gid', header, extensions) };
      const xattrs = readXattrs(extensions.pax);
      checkWhiteout(path);
      const size = readSize(kind, header, extensions.pax);
      this.#remember(path, kind);
      return { kind, path, name, size, mode: header.mode, ...owner, xattrs, target };
    } catch (error) {
      throw error instanceof Refusal ? layerRejected(error.message, offset) : error;
    }
  }

  summary(): TarSummary {
    return {
      unsupportedEntries: this.#unsupported,
      mayHaveWhiteouts: this.#mayHaveWhiteouts,
      impliedDirectories: [...this.#directories].flatMap(([path, how]) => (how === 'implied' ? [path] : [])),
    };
  }

  #remember(path: string, kind: TarEntryKind): void {
    this.#count += 1;
    if (this.#count > MAX_ENTRIES) throw new Refusal(`more than ${MAX_ENTRIES} entries`);
    if (kind === 'device node or FIFO') this.#unsupported += 1;
    this.#mayHaveWhiteouts ||= path.includes('.wh.');
    if (kind === 'directory') {
      this.#rememberDirectory(path, 'named');
    } else {
      if (this.#directories.has(path)) throw new Refusal(`a ${kind} in the place of a directory`);
      this.#countBytes(path.length - path.lastIndexOf('/'));
    }
    for (let below = path; below !== ''; ) {
      const parent = findParentPath(below);
      if (this.#directories.has(parent)) break;
      this.#rememberDirectory(parent, 'implied');
      below = parent;
    }
  }

  #rememberDirectory(path: string, how: 'named' | 'implied'): void {
    if (!this.#directories.has(path)) this.#countBytes(path.length);
    this.#directories.set(path, how);
  }

  #countBytes(bytes: number): void {
    this.#namesBytes += bytes;
    if (this.#namesBytes > MAX_NAMES_BYTES) throw new Refusal(`more than ${MAX_NAMES_BYTES} bytes of names`);
  }
}

/** What is wrong with an entry, before it is known where. */
class Refusal extends Error {}

/** A PAX record without value is as good as none. Readers differ on which of two long names counts. */
function chooseName(
  what: string,
  field: Buffer,
  long: Buffer | undefined,
  record: Buffer | undefined,
): Buffer {
  const pax = record?.length === 0 ? undefined : record;
  if (long !== undefined && pax !== undefined) throw new Refusal(`two ${what}s for one entry`);
  if (long?.length === 0) throw new Refusal(`an empty long ${what}`);
  if (pax?.includes(0)) throw new Refusal(`a ${what} with a NUL byte`);
  return long ?? pax ?? field;
}

/** A file whose name ends with a slash is a directory, as in archives older than POSIX. */
function findKind(header: TarHeader, name: Buffer): TarEntryKind {
  if (header.isOldSparse || header.type === OLD_SPARSE_TYPE) {
    throw new Refusal('a sparse file of the old GNU kind');
  }
  const kind = KINDS.get(header.type);
  if (kind === undefined) throw new Refusal(`an entry of the unknown type ${JSON.stringify(header.type)}`);
  return kind === 'file' && name.at(-1) === SLASH ? 'directory' : kind;
}

const SLASH = 0x2f;

/** A hard link takes its target as entries take their names; a symlink may lead anywhere. */
function readTarget(kind: TarEntryKind, header: TarHeader, { longLink, pax }: TarExtensions): string {
  if (kind !== 'hard link' && kind !== 'symlink') return '';
  const target = chooseName('link target', header.linkName, longLink, pax?.get('linkpath'));
  if (kind === 'hard link') {
    const path = readPath(target);
    if (path === '') throw new Refusal('a hard link to the root');
    return path;
  }
  if (target.length === 0) throw new Refusal('a symlink without target');
  if (target.length > MAX_TARGET_BYTES) throw new Refusal(`a symlink target of ${target.length} bytes`);
  if (!isUtf8(target)) throw new Refusal('a symlink target that is not UTF-8');
  return target.toString('utf8');
}

/** The kernel has 32 bits for an owner and keeps the highest number for "no owner". */
function readOwner(key: 'uid' | 'gid', header: TarHeader, { pax }: TarExtensions): number {
  const record = pax?.get(key)?.toString('latin1');
  if (record !== undefined && !/^[0-9]{0,15}$/.test(record))
    throw new Refusal(`the owner ${JSON.stringify(record)}`);
  const owner = Number(record || header[key]);
  if (!Number.isInteger(owner) || owner < 0 || owner > MAX_OWNER) throw new Refusal(`the owner ${owner}`);
  return owner;
}

function readXattrs(pax: TarExtensions['pax']): readonly Xattr[] {
  try {
    return pax === undefined ? [] : parsePaxXattrs(pax);
  } catch (error) {
    throw error instanceof MalformedXattr ? new Refusal(error.message) : error;
  }
}

/** A whiteout takes a name away; these three are none. */
function checkWhiteout(path: string): void {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (['.wh.', '.wh..', '.wh...'].includes(name))
    throw new Refusal(`the whiteout ${name}, which names no file`);
}

/**
 * Bytes of content that follow. The size in the header of a symlink, device or `5` directory means nothing to any
 * reader; in all other places but files a size is what readers skip in different ways.
 */
function readSize(kind: TarEntryKind, header: TarHeader, pax: TarExtensions['pax']): number {
  for (const key of pax?.keys() ?? []) {
    if (SPARSE_RECORD.test(key)) throw new Refusal('a sparse file');
  }
  const record = pax?.get('size')?.toString('latin1');
  if (record !== undefined && !/^[0-9]{1,15}$/.test(record)) throw new Refusal('a size that is no number');
  const size = record === undefined ? header.size : Number(record);
  if (kind === 'file') return size;
  const isIgnored = record === undefined && kind !== 'hard link' && KINDS.get(header.type) === kind;
  if (size !== 0 && !isIgnored) throw new Refusal(`a ${kind} with content`);
  return 0;
}

/** Takes a name as other readers do: a leading `/` or `./` and double slashes mean nothing. */
function readPath(name: Buffer): string {
  if (name.length > MAX_PATH_BYTES) throw new Refusal(`a name of ${name.length} bytes`);
  if (!isUtf8(name)) throw new Refusal('a name that is not UTF-8');
  const text = name.toString('utf8');
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    if (part === '..') throw new Refusal(`the name ${JSON.stringify(text)} with ".."`);
    const length = Buffer.byteLength(part);
    if (length > MAX_NAME_BYTES) throw new Refusal(`a name of ${length} bytes`);
  }
  return parts.join('/');
}
