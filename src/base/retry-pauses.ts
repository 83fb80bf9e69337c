/** A restart or a change of the route is over after some seconds, and a person still waits so long. */
const DEFAULT_RETRIES = 3;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** @returns milliseconds before each further try: 1 s, and twice as long every time up to half a minute */
export function buildRetryPauses(retries = DEFAULT_RETRIES): readonly number[] {
  return Array.from({ length: retries }, (_, index) => Math.min(FIRST_PAUSE * 2 ** index, LONGEST_PAUSE));
}
