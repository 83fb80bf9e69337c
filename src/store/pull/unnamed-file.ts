import { closeSync, fstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { TextPieces } from '../../core/variant-writer.ts';

const PIECE_BYTES = 64 * 1024;

/**
 * Bytes that wait on the disk until they are needed, so that they take no memory: a file whose name is removed as soon
 * as it is open, so that a crash leaves nothing.
 */
export class UnnamedFile implements TextPieces, Disposable {
  readonly #fd: number;

  /** @param path where nothing is */
  constructor(path: string) {
    this.#fd = openSync(path, 'wx+', 0o600);
    rmSync(path);
  }

  get length(): number {
    return fstatSync(this.#fd).size;
  }

  append(data: Buffer): void {
    for (let at = 0; at < data.length; ) at += writeSync(this.#fd, data, at);
  }

  /** From the beginning. A piece is valid until the next one is taken. */
  *[Symbol.iterator](): Generator<Buffer> {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (let position = 0; ; ) {
      const bytes = readSync(this.#fd, buffer, 0, PIECE_BYTES, position);
      if (bytes === 0) return;
      yield buffer.subarray(0, bytes);
      position += bytes;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
