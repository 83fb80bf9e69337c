/**
 * Files that threads of the pool write while this one goes on with the archive: to create files is most of what a pull
 * asks of the kernel, and the archive need not wait for it.
 */

/** What a file counts for beside its content, so that empty ones count too. */
const BYTES_OF_ANY_FILE = 4096;

export class PendingFiles {
  #bytes = 0;
  readonly #failures: unknown[] = [];
  readonly #waiting: (() => void)[] = [];

  /** @param size of the content in bytes, which stays in memory until the write ends */
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
   * Waits until no more than `most` bytes are on their way.
   *
   * @throws what the first write that failed has thrown
   */
  async settle(most: number): Promise<void> {
    await this.#wait(most);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** Waits until nothing is written any more, whatever failed. */
  async end(): Promise<void> {
    await this.#wait(0);
  }

  async #wait(most: number): Promise<void> {
    while (this.#bytes > most) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
