/** Checks the entries of a layer's archive, and collects a summary of them. */
import { isUtf8 } from 'node:buffer';
import type { Xattr } from '../ostree/ostree-objects.ts';
import { LayerPaths, type PathUse } from './layer-paths.ts';
import { layerRejected, Refusal } from './layer-rejected.ts';
import { readSparseHeader, requireFitting, type SparseHeader, type SparseMap } from './sparse-map.ts';
import { OLD_FILE, type TarHeader } from './tar-header.ts';
import { MalformedXattr, parsePaxXattrs } from './tar-xattrs.ts';

/** The kernel's limits: no path, name or link beyond them could be checked out. */
const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;
const MAX_TARGET_BYTES = 4095;
const MAX_OWNER = 0xfffffffe;
/** Limit far above any real layer. It bounds the memory that a hostile layer takes. */
const MAX_ENTRIES = 2_000_000;
/** Limit of all sparse files together: the zeros between areas are not in the archive, but are written and hashed. */
const MAX_SPARSE_BYTES = 4 * 1024 ** 3;

type TarEntryKind = 'file' | 'hard link' | 'symlink' | 'device node or FIFO' | 'directory';

const KINDS: ReadonlyMap<string, TarEntryKind> = new Map([
  [OLD_FILE, 'file'],
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

/** Extensions that precede the header of an entry. */
export interface TarExtensions {
  readonly pax?: ReadonlyMap<string, Buffer>;
  readonly longName?: Buffer;
  readonly longLink?: Buffer;
}

export interface TarEntry {
  readonly kind: TarEntryKind;
  /** Path in the layer without leading slash, the root as `''`; no element is `.` or `..`, none but the last a symlink. */
  readonly path: string;
  /** The name as the archive has it. */
  readonly name: Buffer;
  /** Whether the name leads through symlinks, so that `path` is not the cleaned name. */
  readonly isElsewhere: boolean;
  /** Length of the content that follows, in bytes. */
  readonly size: number;
  /** Map of a sparse file: the places of the content in the file. */
  readonly sparse: SparseMap | undefined;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: readonly Xattr[];
  /** Target of a symlink as it is written; of a hard link a path like `path`; empty for other kinds. */
  readonly target: string;
}

/** The summary of all entries. */
export interface TarSummary {
  /** Device nodes and FIFOs, which OSTree cannot keep (compatibility S-10). */
  readonly unsupportedEntries: number;
  /**
   * Directories that the archive only implies, because it names paths below them; without leading slash, the root as
   * `''`.
   */
  readonly impliedDirectories: readonly string[];
  /** Whether a path contains `.wh.`; without one there is no whiteout. */
  readonly mayHaveWhiteouts: boolean;
}

/** An entry after its headers. The content of a sparse file may begin with its map. */
export interface ReadEntry {
  readonly entry: TarEntry;
  /** Length in bytes of the sparse file whose map begins the content; `undefined` for other entries. */
  readonly mappedSize: number | undefined;
}

export class TarEntries {
  readonly #paths = new LayerPaths();
  #count = 0;
  #unsupported = 0;
  #sparseBytes = 0;
  #mayHaveWhiteouts = false;

  /**
   * Checks an entry and adds it to the summary.
   *
   * @param offset place in the archive in bytes, for the message
   * @throws AtomicError LAYER_REJECTED when it must not be unpacked
   */
  add(header: TarHeader, extensions: TarExtensions, offset: number): ReadEntry {
    try {
      const sparse = readSparseHeader(extensions.pax);
      const pathName = chooseName('name', header.name, extensions.longName, extensions.pax?.get('path'));
      const name = sparse?.name ?? pathName;
      const kind = findKind(header, name);
      const written = readPath('name', name);
      if (written === '' && kind !== 'directory') throw new Refusal(`a ${kind} in the place of the root`);
      const target = this.#readTarget(kind, header, extensions);
      const owner = { uid: readOwner('uid', header, extensions), gid: readOwner('gid', header, extensions) };
      const xattrs = readXattrs(extensions.pax);
      checkWhiteout(written);
      const size = readSize(kind, header, extensions.pax);
      this.#checkSparse(kind, size, sparse);
      const path = this.#paths.resolve(written);
      const isElsewhere = path !== written;
      const use = this.#findUse(kind, target);
      this.#remember(path, use, kind);
      const entry: TarEntry = {
        ...{ kind: use.kind === 'skipped' ? 'device node or FIFO' : kind, path, name, isElsewhere, size },
        ...{
          sparse: sparse?.kind === 'map' ? sparse.map : undefined,
          mode: header.mode,
          ...owner,
          xattrs,
          target,
        },
      };
      return { entry, mappedSize: sparse?.kind === 'map in content' ? sparse.size : undefined };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw layerRejected(error.message, offset, findName(header, extensions));
    }
  }

  summary(): TarSummary {
    return {
      unsupportedEntries: this.#unsupported,
      mayHaveWhiteouts: this.#mayHaveWhiteouts,
      impliedDirectories: this.#paths.impliedDirectories(),
    };
  }

  /** The target of a hard link is resolved like a name. A symlink may lead anywhere. */
  #readTarget(kind: TarEntryKind, header: TarHeader, { longLink, pax }: TarExtensions): string {
    if (kind !== 'hard link' && kind !== 'symlink') return '';
    const target = chooseName('link target', header.linkName, longLink, pax?.get('linkpath'));
    if (kind === 'hard link') {
      const path = readPath('link target', target);
      if (path === '') throw new Refusal('a hard link to the root');
      return this.#paths.resolve(path);
    }
    if (target.length === 0) throw new Refusal('a symlink without target');
    if (target.length > MAX_TARGET_BYTES) throw new Refusal(`a symlink target of ${target.length} bytes`);
    if (!isUtf8(target)) throw new Refusal('a symlink target that is not UTF-8');
    return target.toString('utf8');
  }

  #checkSparse(kind: TarEntryKind, size: number, sparse: SparseHeader | undefined): void {
    if (sparse === undefined) return;
    if (kind !== 'file') throw new Refusal(`a sparse ${kind}`);
    if (sparse.kind === 'map') requireFitting(sparse.map, size);
    this.#sparseBytes += sparse.kind === 'map' ? sparse.map.size : sparse.size;
    if (this.#sparseBytes > MAX_SPARSE_BYTES)
      throw new Refusal(`more than ${MAX_SPARSE_BYTES} bytes of sparse files`);
  }

  /** A hard link has the meaning of its target. */
  #findUse(kind: TarEntryKind, target: string): PathUse {
    switch (kind) {
      case 'directory':
      case 'file':
        return { kind };
      case 'symlink':
        return { kind, target };
      case 'device node or FIFO':
        return { kind: 'skipped' };
      case 'hard link': {
        const use = this.#paths.find(target) ?? { kind: 'file' };
        if (use.kind === 'directory') throw new Refusal('a hard link to a directory');
        return use;
      }
    }
  }

  #remember(path: string, use: PathUse, kind: TarEntryKind): void {
    this.#count += 1;
    if (this.#count > MAX_ENTRIES) throw new Refusal(`more than ${MAX_ENTRIES} entries`);
    if (use.kind === 'skipped') this.#unsupported += 1;
    // A skipped entry becomes a whiteout, because it hides the same path of lower layers.
    this.#mayHaveWhiteouts ||= use.kind === 'skipped' || path.includes('.wh.');
    this.#paths.add(path, use, kind);
  }
}

/** A PAX record without value counts as absent. Readers disagree about two long names, so these are refused. */
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

/** @returns the name for messages: of two names for one entry, the extended one */
function findName(header: TarHeader, { longName, pax }: TarExtensions): Buffer {
  const name = [pax?.get('GNU.sparse.name'), pax?.get('path'), longName].find((given) => given?.length);
  return name ?? header.name;
}

/** In archives older than POSIX a file whose name ends with a slash is a directory. In newer ones readers disagree: refused. */
function findKind(header: TarHeader, name: Buffer): TarEntryKind {
  if (header.isOldSparse || header.type === OLD_SPARSE_TYPE) {
    throw new Refusal('a sparse file of the old GNU kind');
  }
  const kind = KINDS.get(header.type);
  if (kind === undefined) throw new Refusal(`an entry of the unknown type ${JSON.stringify(header.type)}`);
  if (kind !== 'file' || name.at(-1) !== SLASH) return kind;
  if (header.type === OLD_FILE) return 'directory';
  throw new Refusal('a file whose name ends with a slash');
}

const SLASH = 0x2f;

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

/** A whiteout removes a name; the empty name, `.` and `..` name no file. */
function checkWhiteout(path: string): void {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (['.wh.', '.wh..', '.wh...'].includes(name))
    throw new Refusal(`the whiteout ${name}, which names no file`);
}

/**
 * Reads the length of the content in bytes. All readers ignore the size in the header of a symlink, device or `5` directory.
 * For every other kind but files they disagree about how much to skip, so a size there is refused.
 */
function readSize(kind: TarEntryKind, header: TarHeader, pax: TarExtensions['pax']): number {
  const record = pax?.get('size')?.toString('latin1');
  if (record !== undefined && !/^[0-9]{1,15}$/.test(record)) throw new Refusal('a size that is no number');
  const size = record === undefined ? header.size : Number(record);
  if (kind === 'file') return size;
  const isIgnored = record === undefined && kind !== 'hard link' && KINDS.get(header.type) === kind;
  if (size !== 0 && !isIgnored) throw new Refusal(`a ${kind} with content`);
  return 0;
}

/** Cleans a name as other readers do: a leading `/` or `./` and double slashes have no meaning. */
function readPath(what: string, name: Buffer): string {
  if (name.length > MAX_PATH_BYTES) throw new Refusal(`a ${what} of ${name.length} bytes`);
  if (!isUtf8(name)) throw new Refusal(`a ${what} that is not UTF-8`);
  const text = name.toString('utf8');
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    if (part === '..') throw new Refusal(`the ${what} ${JSON.stringify(text)} with ".."`);
    const length = Buffer.byteLength(part);
    if (length > MAX_NAME_BYTES) throw new Refusal(`a ${what} of ${length} bytes`);
  }
  return parts.join('/');
}
