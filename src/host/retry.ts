/** Repeats actions after transient failures: a lost connection, a registry that restarts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError } from '../base/errors.ts';
import type { Host } from './host.ts';
import { throwIfInterrupted } from './interruption.ts';

/**
 * Runs an action until it succeeds, fails for good (an error without `isTransient`), or no pause is left. A warning
 * announces every further try. When the failed program has retried by itself, its tries count too (`AtomicError.tries`).
 *
 * @param object the subject of the action, for the warning, such as `layer sha256:...`
 * @param pauses milliseconds before each further try
 * @param action gets the number of earlier tries
 * @throws the error of the last try; INTERRUPTED, also during a pause
 */
export async function retryTransient<T>(
  host: Host,
  object: string,
  pauses: readonly number[],
  action: (triesBefore: number) => Promise<T>,
): Promise<T> {
  let tries = 0;
  for (;;) {
    try {
      return await action(tries);
    } catch (error) {
      if (!(error instanceof AtomicError) || !error.isTransient) throw error;
      tries += error.tries;
      const pause = pauses[tries - 1];
      if (pause === undefined) throw error;
      throwIfInterrupted(host);
      host.report({
        kind: 'warning',
        text: `${object}: ${error.message}; try ${tries + 1} of ${pauses.length + 1} in ${pause / 1000} s`,
      });
      await waitUnlessInterrupted(host, pause);
    }
  }
}

async function waitUnlessInterrupted(host: Host, milliseconds: number): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal: host.signal });
  } finally {
    throwIfInterrupted(host);
  }
}
