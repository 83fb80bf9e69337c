/** Writes the content of one object. */

import { createHash } from 'node:crypto';
import { type Checksum, finishChecksum } from '../../image/checksum.ts';
import { type DirMeta, formatFileHeader } from '../../ostree/ostree-objects.ts';

/** Files up to this size stay in memory until their checksum shows whether they are new. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * The temporary file of the stage. A file of more than 1 MiB is opened and written while it arrives, because it must not stay
 * in memory. A smaller file is never opened here: `finish` receives its content and skips the write when the object exists.
 */
interface FileTarget {
  open(): number;
  write(fd: number, bytes: Buffer): void;
  /**
   * @param fd the temporary file, if it was opened
   * @param content the part of the content that is not in the file yet
   */
  finish(checksum: Checksum, fd: number | undefined, content: readonly Buffer[]): void;
  abandon(fd: number): void;
}

/** Takes the content of one regular file in parts. */
export class FileWriter {
  readonly #target: FileTarget;
  readonly #hash = createHash('sha256');
  #parts: Buffer[] = [];
  #buffered = 0;
  #fd: number | undefined;

  constructor(meta: DirMeta, target: FileTarget) {
    this.#target = target;
    this.#hash.update(formatFileHeader(meta, ''));
  }

  /** The caller must not change `bytes` before `finish`. */
  write(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#parts.push(bytes);
    this.#buffered += bytes.length;
    if (this.#buffered <= MAX_BUFFERED_BYTES) return;
    this.#fd ??= this.#target.open();
    for (const part of this.#parts) this.#target.write(this.#fd, part);
    this.#parts = [];
    this.#buffered = 0;
  }

  /** @returns checksum of the object, which the stage or the repository has now */
  finish(): Checksum {
    const checksum = finishChecksum(this.#hash);
    const fd = this.#fd;
    this.#fd = undefined;
    this.#target.finish(checksum, fd, this.#parts);
    return checksum;
  }

  /** Discards the file. */
  abandon(): void {
    if (this.#fd !== undefined) this.#target.abandon(this.#fd);
    this.#fd = undefined;
  }
}
