/**
 * Files that threads of the pool write while this thread reads the archive. Creating files is most of the kernel's work in a
 * pull, and reading need not wait for it.
 */

/** Bytes that a file counts in addition to its content, so that empty files count too. */
const BYTES_OF_ANY_FILE = 4096;

export class PendingFiles {
  #bytes = 0;
  readonly #failures: unknown[] = [];
  readonly #waiting: (() => void)[] = [];

  /** @param size length of the content in bytes; it stays in memory until the write ends */
  add(size: number, write: () => Promise<void>): void {
    const bytes = size + BYTES_OF_ANY_FILE;
    this.#bytes += bytes;
    write()
      .catch((error: unknown) => this.#failures.push(error))
      .finally(() => {
        this.#bytes -= bytes;
        for (const wake of this.#waiting.splice(0)) wake();
      });
  }

  /**
   * Waits until at most `most` bytes are being written.
   *
   * @throws the error of the first failed write
   */
  async settle(most: number): Promise<void> {
    await this.#wait(most);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** Waits until all writes have ended, and ignores their errors. */
  async end(): Promise<void> {
    await this.#wait(0);
  }

  async #wait(most: number): Promise<void> {
    while (this.#bytes > most) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
