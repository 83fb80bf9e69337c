/** Writes the content of one object. */

import { type Checksum, finishChecksum } from '../../image/checksum.ts';
import { type DirMeta, formatFileHeader } from '../../ostree/ostree-objects.ts';

/**
 * Where the stage puts the content. A small file stays in memory until its checksum shows whether it is new. A larger one is
 * opened and written while it arrives.
 */
interface FileTarget {
  /** Copies the next bytes into memory. @returns false when the file does not fit */
  append(bytes: Buffer): boolean;
  /** Opens the temporary file of the stage, and writes what is in memory. */
  open(): number;
  write(fd: number, bytes: Buffer): void;
  /** @param fd the temporary file, if it was opened */
  finish(checksum: Checksum, fd: number | undefined): void;
  abandon(fd: number | undefined): void;
}

/** Takes the content of one regular file in parts. */
export class FileWriter {
  readonly #target: FileTarget;
  readonly #hash = new Bun.CryptoHasher('sha256');
  #fd: number | undefined;

  constructor(meta: DirMeta, target: FileTarget) {
    this.#target = target;
    this.#hash.update(formatFileHeader(meta, ''));
  }

  write(bytes: Buffer): void {
    this.#hash.update(bytes);
    if (this.#fd === undefined && this.#target.append(bytes)) return;
    this.#fd ??= this.#target.open();
    this.#target.write(this.#fd, bytes);
  }

  /** @returns checksum of the object, which the stage or the repository has when the stage is finished */
  finish(): Checksum {
    const checksum = finishChecksum(this.#hash);
    const fd = this.#fd;
    this.#fd = undefined;
    this.#target.finish(checksum, fd);
    return checksum;
  }

  /** Discards the file. */
  abandon(): void {
    this.#target.abandon(this.#fd);
    this.#fd = undefined;
  }
}
