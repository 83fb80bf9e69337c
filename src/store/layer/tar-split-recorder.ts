/**
 * Records everything that is needed to rebuild a layer's archive byte for byte from the files of its tree: all bytes around the
 * files, and the name, size and checksum of each file. The format is that of the original tool (compatibility S-02,
 * `tarsplit.output`): one JSON object a line, compressed, in base64. The record is on the disk until the layer is complete.
 */
import { gzipSync } from 'node:zlib';
import type { TextPieces } from '../../ostree/variant-writer.ts';
import { Crc64 } from '../../tar/crc64.ts';
import type { TarEntry } from '../../tar/tar-entries.ts';
import type { TarListener } from '../../tar/tar-reader.ts';
import { AREAS_KEY } from '../../tar/tar-split.ts';
import type { UnnamedFile } from './unnamed-file.ts';

const FILE_ENTRY = 1;
const SEGMENT_ENTRY = 2;
/** Characters that are compressed at a time, as one member of the gzip file. */
const MEMBER_CHARACTERS = 1024 * 1024;
/** A longer run of headers or padding is split into several segments: zeros after the end may have gigabytes. */
const SEGMENT_BYTES = 1024 * 1024;
/** Most segments are the padding of one file and the header of the next. */
const INITIAL_SEGMENT_BYTES = 4096;
/** Compresses 8.6 MB to 0.52 MB in 37 ms. Level 1 takes 14 ms, but 0.2 MB more on the disk. */
const COMPRESSION_LEVEL = 6;
/** Older versions of libostree refuse metadata objects over 10 MB, and base64 adds a third. */
const MAX_COMPRESSED_BYTES = 6 * 1024 * 1024;

export class TarSplitRecorder implements TarListener {
  readonly #record: UnnamedFile;
  #compressedBytes = 0;
  /** Bytes that do not fill a group of three for base64 yet. */
  #rest: Buffer = Buffer.alloc(0);
  #text = '';
  #position = 0;
  /** Bytes of the open segment. The buffer is used for all segments. */
  #frame: Buffer = Buffer.allocUnsafe(INITIAL_SEGMENT_BYTES);
  #frameBytes = 0;
  #file:
    | { readonly line: Readonly<Record<string, unknown>>; readonly sum: Crc64; missing: number }
    | undefined;

  /** @param record empty file */
  constructor(record: UnnamedFile) {
    this.#record = record;
  }

  frame(bytes: Buffer): void {
    this.#makeRoom(this.#frameBytes + bytes.length);
    this.#frameBytes += bytes.copy(this.#frame, this.#frameBytes);
    if (this.#frameBytes >= SEGMENT_BYTES) this.#endSegment();
  }

  /** An entry whose name leads through a symlink is recorded by its path in the tree, where the content is found later. */
  entry({ name, path, isElsewhere, size, sparse }: TarEntry): void {
    this.#endSegment();
    const line = { type: FILE_ENTRY, name: isElsewhere ? path : name.toString('utf8') };
    if (size === 0) this.#write({ ...line, payload: null });
    else {
      const areas = sparse === undefined ? {} : { [AREAS_KEY]: sparse.areas };
      this.#file = { line: { ...line, size, ...areas }, sum: new Crc64(), missing: size };
    }
  }

  content(bytes: Buffer): void {
    const file = this.#file;
    if (file === undefined) throw new Error('content without an entry');
    file.sum.update(bytes);
    file.missing -= bytes.length;
    if (file.missing > 0) return;
    this.#write({ ...file.line, payload: file.sum.digest().toString('base64') });
    this.#file = undefined;
  }

  /**
   * Ends the record.
   *
   * @returns `undefined` when the record is too large for a commit; such a layer cannot be rebuilt byte for byte
   */
  finish(): TextPieces | undefined {
    this.#endSegment();
    this.#compress();
    if (this.#compressedBytes > MAX_COMPRESSED_BYTES) return undefined;
    this.#encode(this.#rest);
    return this.#record;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#frame.length) return;
    const larger = Buffer.allocUnsafe(Math.max(bytes, 2 * this.#frame.length));
    this.#frame.copy(larger, 0, 0, this.#frameBytes);
    this.#frame = larger;
  }

  #endSegment(): void {
    if (this.#frameBytes === 0) return;
    const payload = this.#frame.toString('base64', 0, this.#frameBytes);
    this.#frameBytes = 0;
    this.#write({ type: SEGMENT_ENTRY, payload });
  }

  #write(entry: Readonly<Record<string, unknown>>): void {
    this.#text += `${JSON.stringify({ ...entry, position: this.#position })}\n`;
    this.#position += 1;
    if (this.#text.length >= MEMBER_CHARACTERS) this.#compress();
  }

  #compress(): void {
    const member = gzipSync(this.#text, { level: COMPRESSION_LEVEL });
    this.#text = '';
    this.#compressedBytes += member.length;
    if (this.#compressedBytes > MAX_COMPRESSED_BYTES) return;
    const bytes = Buffer.concat([this.#rest, member]);
    const whole = bytes.length - (bytes.length % 3);
    this.#encode(bytes.subarray(0, whole));
    this.#rest = bytes.subarray(whole);
  }

  #encode(bytes: Buffer): void {
    this.#record.append(Buffer.from(bytes.toString('base64'), 'latin1'));
  }
}
