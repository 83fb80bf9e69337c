/**
 * Reads a layer's archive as a stream and refuses unsafe ones: names that leave the root or are too long, an archive that is
 * cut short.
 *
 * It also refuses what readers of tar interpret differently: two names for one entry, content of an entry that must
 * have none, types of single vendors. So an image cannot show one tree to a scanner or a registry and another tree
 * here. `test/native/tar-differential.test.ts` compares with libarchive.
 */
import { AtomicError } from '../base/errors.ts';
import { layerRejected } from './layer-rejected.ts';
import { parsePaxRecords } from './pax-records.ts';
import { readContentMap } from './sparse-map.ts';
import {
  type ReadEntry,
  TarEntries,
  type TarEntry,
  type TarExtensions,
  type TarSummary,
} from './tar-entries.ts';
import { parseTarHeader, TAR_BLOCK_BYTES, type TarHeader } from './tar-header.ts';

/** Limit of PAX headers and GNU long names, as in the tools of containers/image. */
const MAX_EXTENSION_BYTES = 1024 * 1024;
const EXTENSION_TYPES = new Set(['x', 'g', 'L', 'K']);

/** Receives the parts of the archive. The bytes of `frame` and `content`, in order, are the archive. */
export interface TarListener {
  /** Receives headers, padding, and everything after the last entry. */
  frame(bytes: Buffer): void;
  /** Receives an entry after its headers; `entry.size` bytes of content follow. */
  entry(entry: TarEntry): void;
  content(bytes: Buffer): void;
}

export class TarReader {
  readonly #listener: TarListener;
  readonly #entries = new TarEntries();
  #extensions: TarExtensions = {};
  /** The beginning of an incomplete header, and its place in the archive in bytes. */
  #held: Buffer = Buffer.alloc(0);
  #offset = 0;
  /** Bytes still to come of an entry's content and of the padding after it. */
  #content = 0;
  #padding = 0;
  #hasEnded = false;
  /** A sparse file whose map comes next. */
  #unmapped: { readonly entry: TarEntry; readonly size: number } | undefined;

  constructor(listener: TarListener) {
    this.#listener = listener;
  }

  /**
   * Takes the next bytes of the uncompressed archive. The listener may keep parts of `chunk`.
   *
   * @throws AtomicError LAYER_REJECTED at the first unsafe entry; errors of the listener
   */
  push(chunk: Buffer): void {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    while (at < data.length) {
      const rest = data.subarray(at);
      const taken = this.#take(rest);
      if (taken === undefined) break;
      at += taken;
      this.#offset += taken;
    }
    this.#held = Buffer.from(data.subarray(at));
  }

  /**
   * Ends the archive. The blocks of zeros at its end, and the padding before them, may be missing, as most readers allow.
   *
   * @throws AtomicError LAYER_REJECTED when it is cut short
   */
  finish(): TarSummary {
    const isInEntry = this.#content > 0 || this.#unmapped !== undefined || hasExtensions(this.#extensions);
    const isWhole = !isInEntry && this.#held.length === 0;
    if (!isWhole) {
      throw new AtomicError(
        'LAYER_REJECTED',
        `reading the layer's archive: cut short at byte ${this.#offset + this.#held.length}`,
        {
          hint: 'The layer is damaged; build and push the image again.',
        },
      );
    }
    return this.#entries.summary();
  }

  /** @returns how many bytes of `rest` were used; `undefined` when the next header is incomplete */
  #take(rest: Buffer): number | undefined {
    if (this.#hasEnded) return this.#takeFrame(rest);
    if (this.#unmapped !== undefined) return this.#takeMap(rest, this.#unmapped);
    return this.#content + this.#padding > 0 ? this.#takeContent(rest) : this.#takeHeader(rest);
  }

  #takeFrame(bytes: Buffer): number {
    this.#listener.frame(bytes);
    return bytes.length;
  }

  #takeContent(rest: Buffer): number {
    const content = rest.subarray(0, this.#content);
    const padding = rest.subarray(content.length, content.length + this.#padding);
    this.#content -= content.length;
    this.#padding -= padding.length;
    if (content.length > 0) this.#listener.content(content);
    if (padding.length > 0) this.#listener.frame(padding);
    return content.length + padding.length;
  }

  #takeHeader(rest: Buffer): number | undefined {
    if (rest.length < TAR_BLOCK_BYTES) return undefined;
    const block = rest.subarray(0, TAR_BLOCK_BYTES);
    const header = parseTarHeader(block, this.#offset);
    if (header !== undefined && EXTENSION_TYPES.has(header.type)) return this.#takeExtension(rest, header);
    this.#listener.frame(block);
    if (header === undefined) {
      if (hasExtensions(this.#extensions)) this.#reject('a header without its entry');
      this.#hasEnded = true;
      return TAR_BLOCK_BYTES;
    }
    const read = this.#entries.add(header, this.#extensions, this.#offset);
    this.#extensions = {};
    this.#begin(read);
    return TAR_BLOCK_BYTES;
  }

  #begin({ entry, mappedSize }: ReadEntry): void {
    if (mappedSize !== undefined) {
      this.#unmapped = { entry, size: mappedSize };
      return;
    }
    this.#content = entry.size;
    this.#padding = paddingAfter(entry.size);
    this.#listener.entry(entry);
  }

  #takeMap(rest: Buffer, { entry, size }: { entry: TarEntry; size: number }): number | undefined {
    const read = readContentMap(rest, size, entry.size, this.#offset);
    if (read === undefined) return undefined;
    this.#unmapped = undefined;
    this.#listener.frame(rest.subarray(0, read.bytes));
    this.#begin({
      entry: { ...entry, size: entry.size - read.bytes, sparse: read.map },
      mappedSize: undefined,
    });
    return read.bytes;
  }

  #takeExtension(rest: Buffer, { type, size }: TarHeader): number | undefined {
    if (size > MAX_EXTENSION_BYTES) this.#reject(`a header of ${size} bytes`);
    const length = TAR_BLOCK_BYTES + size + paddingAfter(size);
    if (rest.length < length) return undefined;
    this.#listener.frame(rest.subarray(0, length));
    this.#readExtension(type, rest.subarray(TAR_BLOCK_BYTES, TAR_BLOCK_BYTES + size));
    return length;
  }

  #readExtension(type: string, data: Buffer): void {
    const { pax, longName, longLink } = this.#extensions;
    if (type === 'L') {
      if (longName !== undefined) this.#reject('two long names for one entry');
      this.#extensions = { ...this.#extensions, longName: untilNul(data) };
    } else if (type === 'K') {
      if (longLink !== undefined) this.#reject('two long link names for one entry');
      this.#extensions = { ...this.#extensions, longLink: untilNul(data) };
    } else if (type === 'x') {
      if (pax !== undefined) this.#reject('two PAX headers for one entry');
      this.#extensions = { ...this.#extensions, pax: parsePaxRecords(data, this.#offset) };
    }
    // A global header (`g`) is ignored, as the tools that make layers do.
  }

  #reject(what: string): never {
    throw layerRejected(what, this.#offset);
  }
}

function hasExtensions({ pax, longName, longLink }: TarExtensions): boolean {
  return pax !== undefined || longName !== undefined || longLink !== undefined;
}

function paddingAfter(size: number): number {
  return (TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

/** @returns a copy, because `data` is a part of a chunk that may be reused */
function untilNul(data: Buffer): Buffer {
  const end = data.indexOf(0);
  return Buffer.from(end < 0 ? data : data.subarray(0, end));
}
