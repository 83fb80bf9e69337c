import type { SilenceLimits } from '../../image/image.ts';

const FIRST_MILLISECONDS = 1;
const GROWTH = 1.2;
/**
 * The longest pauses. A pull waits for several short answers in turn. While a blob is read, the main thread has other work,
 * and its end shortens the pause.
 */
const LONGEST_MILLISECONDS: Readonly<Record<keyof SilenceLimits, number>> = { answer: 4, bytes: 20 };

/** Pauses between polls. Each is a sixth of the time waited up to now, so that both the delay and the work stay small. */
export class GrowingPause {
  readonly #longest: number;
  #milliseconds = FIRST_MILLISECONDS;
  #end: (() => void) | undefined;

  constructor(awaited: keyof SilenceLimits) {
    this.#longest = LONGEST_MILLISECONDS[awaited];
  }

  async wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#milliseconds = Math.min(this.#milliseconds * GROWTH, this.#longest);
  }

  /** Ends the current pause and begins with short ones again, because the answer is due now. */
  hurry(): void {
    this.#milliseconds = FIRST_MILLISECONDS;
    this.#end?.();
  }
}
