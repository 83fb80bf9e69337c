import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { FileMode } from '../../base/file-mode.ts';
import type { TextPieces } from '../../ostree/variant-writer.ts';

const PIECE_BYTES = 64 * 1024;

/** A file without a name for bytes that would take too much memory. Its name is removed as soon as it is open. */
export class UnnamedFile implements TextPieces, Disposable {
  readonly #fd: number;
  readonly #write: (fd: number, data: Buffer) => void;

  /**
   * @param path unused path; a crash immediately after opening leaves the file
   * @param write appends data to the file
   */
  constructor(path: string, write: (fd: number, data: Buffer) => void) {
    this.#write = write;
    this.#fd = openSync(path, 'wx+', FileMode.private);
    try {
      unlinkSync(path);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  get length(): number {
    return fstatSync(this.#fd).size;
  }

  append(data: Buffer): void {
    this.#write(this.#fd, data);
  }

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
