/**
 * Lets the kernel write files to the disk while a layer is being read, so that the sync at the end of the transaction has
 * little left. Only that sync counts, and it reports errors of the disk that occur before it, too.
 */
import { closeSync, openSync } from 'node:fs';
import { syncFilesystemAsync } from '../../native/libc.ts';

/** Compressed bytes between two syncs. A small image has none. */
const INTERVAL_BYTES = 32 * 1024 * 1024;

export class WriteBack {
  readonly #folder: string;
  #bytes = 0;
  #isRunning = false;

  /** @param folder on the filesystem that is written */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param bytes number of bytes of blobs that have arrived since the last call */
  pass(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < INTERVAL_BYTES || this.#isRunning) return;
    this.#bytes = 0;
    this.#isRunning = true;
    const fd = openSync(this.#folder, 'r');
    const end = (): void => {
      closeSync(fd);
      this.#isRunning = false;
    };
    void syncFilesystemAsync(fd).then(end, end);
  }
}
