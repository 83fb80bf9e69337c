/**
 * Watches the bytes of a layer's archive pass by. libarchive and libostree unpack it; the scanner checks what they
 * would not tell us, before it reaches them: names that leave the root or are too long, an archive that is cut short,
 * and which directories the archive names itself.
 *
 * A check is worth nothing when the unpacker reads the archive in another way. So whatever readers of tar understand
 * differently is refused: two names for one entry, content where none belongs, types and sparse files of single
 * vendors. `test/native/tar-differential.test.ts` compares scanner and unpacker.
 */
import { AtomicError } from './errors.ts';
import { layerRejected } from './layer-rejected.ts';
import { parsePaxRecords } from './pax-records.ts';
import { rewritePaxData } from './pax-rewrite.ts';
import { TarEntries, type TarExtensions } from './tar-entries.ts';
import {
  formatTarDirectory,
  parseTarHeader,
  replaceTarMode,
  replaceTarSize,
  TAR_BLOCK_BYTES,
  type TarHeader,
} from './tar-header.ts';

/** PAX headers and GNU long names; containers' own tools refuse more than 1 MiB, too. */
const MAX_EXTENSION_BYTES = 1024 * 1024;
const EXTENSION_TYPES = new Set(['x', 'g', 'L', 'K']);

/** libostree puts the mode into the checksum of a symlink; on a disk every symlink has this one. */
const SYMLINK_MODE = 0o777;
const NOTHING = Buffer.alloc(0);

export interface TarSummary {
  /** Device nodes and FIFOs, which OSTree cannot keep (compatibility S-10). */
  readonly unsupportedEntries: number;
  /** Directories that exist only because something below them is named; without leading slash, the root as `''`. */
  readonly impliedDirectories: readonly string[];
  /** Whether any path has `.wh.` in it, as every whiteout has. */
  readonly mayHaveWhiteouts: boolean;
  /** Zero bytes that complete an archive written without its end; readers differ on whether they may lack. */
  readonly missingPadding: number;
}

/** Is told what the archive consists of. The bytes of `frame` and `content`, in order, are the archive. */
export interface TarListener {
  /** Headers, padding, and all that follows the last entry. */
  frame(bytes: Buffer): void;
  /** An entry, after its headers; `size` bytes of content follow. */
  entry(name: Buffer, size: number): void;
  content(bytes: Buffer): void;
}

interface TakenHeader {
  /** How many of the next bytes it is. */
  readonly length: number;
  /** What the unpacker should get instead. */
  readonly replacement?: Buffer;
}

export class TarScanner {
  readonly #listener: TarListener | undefined;
  readonly #entries = new TarEntries();
  #extensions: TarExtensions = {};
  /** The headers of `extensions`, held back until their entry comes. */
  #extensionBytes: Buffer[] = [];
  /** The beginning of a header that is not complete yet, and where in the archive it begins. */
  #held: Buffer = Buffer.alloc(0);
  #offset = 0;
  /** Bytes that are still to come of an entry's content, and of the padding after it. */
  #content = 0;
  #padding = 0;
  #hasEnded = false;

  constructor(listener?: TarListener) {
    this.#listener = listener;
  }

  /**
   * Takes the next bytes of the uncompressed archive.
   *
   * @returns what the unpacker should get for them: the same bytes, but for PAX headers whose names libarchive would
   * change. A header that is not complete is held back.
   * @throws AtomicError LAYER_REJECTED at the first thing that must not be unpacked
   */
  push(chunk: Buffer): Buffer {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const passed: Buffer[] = [];
    let passedUntil = 0;
    let at = 0;
    while (at < data.length) {
      const rest = data.subarray(at);
      let taken = this.#hasEnded ? this.#takeFrame(rest) : this.#takeContent(rest);
      if (taken === 0) {
        const header = this.#takeHeader(rest);
        if (header === undefined) break;
        taken = header.length;
        if (header.replacement !== undefined) {
          passed.push(data.subarray(passedUntil, at), header.replacement);
          passedUntil = at + taken;
        }
      }
      at += taken;
      this.#offset += taken;
    }
    this.#held = Buffer.from(data.subarray(at));
    const last = data.subarray(passedUntil, at);
    return passed.length === 0 ? last : Buffer.concat([...passed, last]);
  }

  /**
   * Ends the archive.
   *
   * @throws AtomicError LAYER_REJECTED when it is cut short
   */
  finish(): TarSummary {
    const isWhole = this.#content === 0 && this.#held.length === 0 && !hasExtensions(this.#extensions);
    if (!isWhole) {
      throw new AtomicError(
        'LAYER_REJECTED',
        `reading the layer's archive: cut short at byte ${this.#offset + this.#held.length}`,
        {
          hint: 'The layer is damaged; build and push the image again.',
        },
      );
    }
    return {
      ...this.#entries.summary(),
      missingPadding: this.#hasEnded ? 0 : this.#padding + 2 * TAR_BLOCK_BYTES,
    };
  }

  #takeFrame(bytes: Buffer): number {
    this.#listener?.frame(bytes);
    return bytes.length;
  }

  /** @returns how many of the next bytes are content of the current entry and padding after it */
  #takeContent(rest: Buffer): number {
    const content = rest.subarray(0, this.#content);
    const padding = rest.subarray(content.length, content.length + this.#padding);
    if (content.length > 0) this.#listener?.content(content);
    if (padding.length > 0) this.#listener?.frame(padding);
    this.#content -= content.length;
    this.#padding -= padding.length;
    return content.length + padding.length;
  }

  /** @returns `undefined` when the next header, with the data that belongs to it, is not complete yet */
  #takeHeader(rest: Buffer): TakenHeader | undefined {
    if (rest.length < TAR_BLOCK_BYTES) return undefined;
    const block = rest.subarray(0, TAR_BLOCK_BYTES);
    const header = parseTarHeader(block, this.#offset);
    if (header !== undefined && EXTENSION_TYPES.has(header.type)) return this.#takeExtension(rest, header);
    this.#listener?.frame(block);
    if (header === undefined) {
      if (hasExtensions(this.#extensions)) this.#reject('a header without its entry');
      this.#hasEnded = true;
    } else {
      const entry = this.#entries.add(header, this.#extensions, this.#offset);
      const extensions = this.#extensionBytes;
      this.#extensions = {};
      this.#extensionBytes = [];
      this.#content = entry.size;
      this.#padding = paddingAfter(entry.size);
      this.#listener?.entry(entry.name, entry.size);
      // libostree would give every directory above one that it makes itself the mode 0755 and the owner 0:0.
      const implied = entry.implied.map(formatTarDirectory);
      const own = entry.isSymlink ? replaceTarMode(block, SYMLINK_MODE) : block;
      if (implied.length > 0 || extensions.length > 0 || own !== block) {
        return { length: TAR_BLOCK_BYTES, replacement: Buffer.concat([...implied, ...extensions, own]) };
      }
    }
    return { length: TAR_BLOCK_BYTES };
  }

  #takeExtension(rest: Buffer, { type, size }: TarHeader): TakenHeader | undefined {
    if (size > MAX_EXTENSION_BYTES) this.#reject(`a header of ${size} bytes`);
    const length = TAR_BLOCK_BYTES + size + paddingAfter(size);
    if (rest.length < length) return undefined;
    const bytes = rest.subarray(0, length);
    const data = rest.subarray(TAR_BLOCK_BYTES, TAR_BLOCK_BYTES + size);
    this.#listener?.frame(bytes);
    // Of a global header (`g`) the unpacker takes nothing, and neither do the tools that make layers.
    if (type === 'g') return { length };
    this.#extensionBytes.push(this.#readExtension(type, bytes, data));
    return { length, replacement: NOTHING };
  }

  /** @returns what the unpacker should get for the header and its data */
  #readExtension(type: string, bytes: Buffer, data: Buffer): Buffer {
    const { pax, longName, longLink } = this.#extensions;
    if (type === 'L') {
      if (longName !== undefined) this.#reject('two long names for one entry');
      this.#extensions = { ...this.#extensions, longName: untilNul(data) };
    } else if (type === 'K') {
      if (longLink !== undefined) this.#reject('two long link names for one entry');
      this.#extensions = { ...this.#extensions, longLink: untilNul(data) };
    } else {
      if (pax !== undefined) this.#reject('two PAX headers for one entry');
      const records = parsePaxRecords(data, this.#offset);
      this.#extensions = { ...this.#extensions, pax: records };
      const rewritten = rewritePaxData(data, records);
      if (rewritten !== undefined) return replaceRecords(bytes, rewritten);
    }
    return Buffer.from(bytes);
  }

  #reject(what: string): never {
    throw layerRejected(what, this.#offset);
  }
}

function hasExtensions({ pax, longName, longLink }: TarExtensions): boolean {
  return pax !== undefined || longName !== undefined || longLink !== undefined;
}

/** The PAX header with other records. */
function replaceRecords(bytes: Buffer, data: Buffer): Buffer {
  const block = replaceTarSize(bytes.subarray(0, TAR_BLOCK_BYTES), data.length);
  return Buffer.concat([block, data, Buffer.alloc(paddingAfter(data.length))]);
}

function paddingAfter(size: number): number {
  return (TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

function untilNul(data: Buffer): Buffer {
  const end = data.indexOf(0);
  return end < 0 ? data : data.subarray(0, end);
}
