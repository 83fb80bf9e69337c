const FIRST_MILLISECONDS = 1;
const GROWTH = 1.2;
const LONGEST_MILLISECONDS = 20;

/** Pauses between looks for something: a sixth of what it has taken so far, so that little is lost and little is spent. */
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

  /** What is waited for must come at once: ends the pause and begins with short ones again. */
  hurry(): void {
    this.#milliseconds = FIRST_MILLISECONDS;
    this.#end?.();
  }
}
