/** The content of one object on its way to the disk. */
import { createHash } from 'node:crypto';
import { type DirMeta, formatFileHeader } from '../../ostree/ostree-objects.ts';

/** Files up to this size are on no disk before it is known that they are new. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** Where the object goes. */
interface FileTarget {
  open(): number;
  write(fd: number, bytes: Buffer): void;
  /** @param fd of what was opened; @param content what was not written to it yet */
  finish(checksum: string, fd: number | undefined, content: readonly Buffer[]): void;
  abandon(fd: number): void;
}

/** One regular file: its content comes in parts, small ones are kept until the end. */
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

  /** The bytes must stay as they are until `finish`. */
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

  /** @returns the checksum of the object, which is in the stage or was in the repository */
  finish(): string {
    const checksum = this.#hash.digest('hex');
    const fd = this.#fd;
    this.#fd = undefined;
    this.#target.finish(checksum, fd, this.#parts);
    return checksum;
  }

  /** Gives up: nothing of the file is left. */
  abandon(): void {
    if (this.#fd !== undefined) this.#target.abandon(this.#fd);
    this.#fd = undefined;
  }
}
