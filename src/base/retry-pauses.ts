/** Three pauses take 7 s: long enough for a restart or a change of the route, short enough for a person who waits. */
const DEFAULT_RETRIES = 3;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** @returns the pause before each further try in milliseconds: 1 s, then twice the last one, at most 30 s */
export function buildRetryPauses(retries = DEFAULT_RETRIES): readonly number[] {
  return Array.from({ length: retries }, (_, index) => Math.min(FIRST_PAUSE * 2 ** index, LONGEST_PAUSE));
}
