/**
 * Watches the bytes of a layer's archive pass by. libarchive and libostree unpack it; the scanner checks what they
 * would not tell us, before it reaches them: names that leave the root or are too long, an archive that is cut short,
 * and which directories the archive names itself.
 */
import { AtomicError } from './errors.ts';
import { parsePaxRecords } from './pax-records.ts';
import { parseTarHeader, TAR_BLOCK_BYTES, type TarHeader } from './tar-header.ts';

/** The kernel's limits: no path or name beyond them could be checked out. */
const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;
/** PAX headers and GNU long names; containers' own tools refuse more than 1 MiB, too. */
const MAX_EXTENSION_BYTES = 1024 * 1024;
/** Far above any real layer; bounds the memory that the names of a hostile one take. */
const MAX_ENTRIES = 5_000_000;

const EXTENSION_TYPES = new Set(['x', 'g', 'L', 'K']);
const HEADER_ONLY_TYPES = new Set(['1', '2', '3', '4', '5', '6']);
const UNSUPPORTED_TYPES = new Set(['3', '4', '6']);

export interface TarSummary {
  /** Device nodes and FIFOs, which OSTree cannot keep (compatibility S-10). */
  readonly unsupportedEntries: number;
  /** Directories that exist only because something below them is named; without leading slash, the root as `''`. */
  readonly impliedDirectories: readonly string[];
  /** Zero bytes that complete an archive written without its end; readers differ on whether they may lack. */
  readonly missingPadding: number;
}

type Expected =
  | { readonly kind: 'header' }
  /** Content with its padding, of which nothing is kept. */
  | { readonly kind: 'content' }
  | { readonly kind: 'extension'; readonly header: TarHeader; readonly parts: Buffer[] }
  | { readonly kind: 'nothing' };

export class TarScanner {
  #expected: Expected = { kind: 'header' };
  /** Bytes until the expected thing is complete. */
  #remaining = TAR_BLOCK_BYTES;
  /** Of them, bytes of padding at the end. */
  #padding = 0;
  #block = Buffer.alloc(TAR_BLOCK_BYTES);
  #offset = 0;
  #entries = 0;
  #unsupported = 0;
  #nextName: Buffer | undefined;
  #nextSize: number | undefined;
  readonly #named = new Set<string>();
  readonly #parents = new Set<string>();

  /**
   * Takes the next bytes of the uncompressed archive.
   *
   * @throws AtomicError LAYER_REJECTED at the first thing that must not be unpacked
   */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && this.#expected.kind !== 'nothing') {
      const length = Math.min(this.#remaining, chunk.length - at);
      this.#take(chunk.subarray(at, at + length));
      at += length;
      this.#offset += length;
      this.#remaining -= length;
      if (this.#remaining === 0) this.#complete();
    }
  }

  /**
   * Ends the archive.
   *
   * @throws AtomicError LAYER_REJECTED when it is cut short
   */
  finish(): TarSummary {
    const isInPadding = this.#expected.kind === 'content' && this.#remaining <= this.#padding;
    const isBetweenEntries = this.#expected.kind === 'header' && this.#remaining === TAR_BLOCK_BYTES;
    const isWhole = this.#expected.kind === 'nothing' || isInPadding || isBetweenEntries;
    if (!isWhole || this.#nextName !== undefined) {
      throw new AtomicError(
        'LAYER_REJECTED',
        `reading the layer's archive: cut short at byte ${this.#offset}`,
        {
          hint: 'The layer is damaged; build and push the image again.',
        },
      );
    }
    return {
      unsupportedEntries: this.#unsupported,
      impliedDirectories: [...this.#parents].filter((path) => !this.#named.has(path)),
      missingPadding:
        this.#expected.kind === 'nothing' ? 0 : (isInPadding ? this.#remaining : 0) + 2 * TAR_BLOCK_BYTES,
    };
  }

  #take(part: Buffer): void {
    if (this.#expected.kind === 'header') part.copy(this.#block, TAR_BLOCK_BYTES - this.#remaining);
    if (this.#expected.kind === 'extension') this.#expected.parts.push(Buffer.from(part));
  }

  #complete(): void {
    const done = this.#expected;
    if (done.kind === 'extension') this.#readExtension(done.header, Buffer.concat(done.parts));
    if (done.kind === 'header') this.#readHeader();
    else this.#expect({ kind: 'header' }, TAR_BLOCK_BYTES);
  }

  #readHeader(): void {
    const header = parseTarHeader(this.#block, this.#offset - TAR_BLOCK_BYTES);
    if (header === undefined) {
      this.#expect({ kind: 'nothing' }, Number.POSITIVE_INFINITY);
      return;
    }
    const isExtension = EXTENSION_TYPES.has(header.type);
    if (isExtension && header.size > MAX_EXTENSION_BYTES) this.#reject(`a header of ${header.size} bytes`);
    const size = isExtension ? header.size : this.#noteEntry(header);
    if (size === 0) this.#expect({ kind: 'header' }, TAR_BLOCK_BYTES);
    else if (isExtension) this.#expect({ kind: 'extension', header, parts: [] }, padded(size));
    else this.#expect({ kind: 'content' }, padded(size));
    this.#padding = padded(size) - size;
  }

  #expect(expected: Expected, bytes: number): void {
    this.#expected = expected;
    this.#remaining = bytes;
  }

  #readExtension(header: TarHeader, block: Buffer): void {
    const data = block.subarray(0, header.size);
    if (header.type === 'L') this.#nextName = trimAtNul(data);
    if (header.type !== 'x') return;
    const records = parsePaxRecords(data, this.#offset);
    const path = records.get('path');
    if (path?.includes(0)) this.#reject('a name with a NUL byte');
    this.#nextName = path ?? this.#nextName;
    const size = records.get('size');
    if (size !== undefined) this.#nextSize = Number(size.toString('latin1'));
    if (this.#nextSize !== undefined && !Number.isSafeInteger(this.#nextSize))
      this.#reject('a size that is no number');
  }

  /** Checks and counts an entry; returns the size of its content. */
  #noteEntry(header: TarHeader): number {
    if (header.type === 'S') this.#reject('a sparse file of the old GNU kind');
    this.#entries += 1;
    if (this.#entries > MAX_ENTRIES) this.#reject(`more than ${MAX_ENTRIES} entries`);
    if (header.type === '1' && header.size !== 0) this.#reject('a hard link with content');
    if (UNSUPPORTED_TYPES.has(header.type)) this.#unsupported += 1;
    const parts = this.#readPath(this.#nextName ?? header.name);
    const path = parts.join('/');
    if (header.type === '5') this.#named.add(path);
    if (parts.length > 0) this.#parents.add('');
    for (let depth = parts.length - 1; depth > 0; depth--) {
      const parent = parts.slice(0, depth).join('/');
      if (this.#parents.has(parent)) break;
      this.#parents.add(parent);
    }
    const size = HEADER_ONLY_TYPES.has(header.type) ? 0 : (this.#nextSize ?? header.size);
    this.#nextName = undefined;
    this.#nextSize = undefined;
    return size;
  }

  /** Splits a name as the unpacker does: a leading `/` or `./` and double slashes mean nothing. */
  #readPath(name: Buffer): string[] {
    if (name.length > MAX_PATH_BYTES) this.#reject(`a name of ${name.length} bytes`);
    const text = name.toString('utf8');
    if (!Buffer.from(text, 'utf8').equals(name)) this.#reject('a name that is not UTF-8');
    const parts = text.split('/').filter((part) => part !== '' && part !== '.');
    for (const part of parts) {
      if (part === '..') this.#reject(`the name ${JSON.stringify(text)} with ".."`);
      if (Buffer.byteLength(part) > MAX_NAME_BYTES)
        this.#reject(`a name of ${Buffer.byteLength(part)} bytes`);
    }
    return parts;
  }

  #reject(what: string): never {
    throw new AtomicError(
      'LAYER_REJECTED',
      `reading the layer's archive: ${what} before byte ${this.#offset}`,
      {
        hint: 'Nothing of this layer was stored. Ask the author of the image.',
      },
    );
  }
}

function padded(size: number): number {
  return Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
}

function trimAtNul(data: Buffer): Buffer {
  const end = data.indexOf(0);
  return end < 0 ? data : data.subarray(0, end);
}
