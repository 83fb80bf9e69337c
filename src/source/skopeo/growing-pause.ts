const FIRST_MILLISECONDS = 1;
const GROWTH = 1.2;
const LONGEST_MILLISECONDS = 20;

/** Pauses between polls. Each is a sixth of the time waited up to now, so that both the delay and the work stay small. */
export class GrowingPause {
  #milliseconds = FIRST_MILLISECONDS;
  #end: (() => void) | undefined;

  async wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#milliseconds = Math.min(this.#milliseconds * GROWTH, LONGEST_MILLISECONDS);
  }

  /** Ends the current pause and begins with short ones again, because the answer is due now. */
  hurry(): void {
    this.#milliseconds = FIRST_MILLISECONDS;
    this.#end?.();
  }
}
