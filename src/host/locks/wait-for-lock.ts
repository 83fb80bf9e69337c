/** The wait for a lock that another process holds: interruptible, and never silent. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../host.ts';
import { throwIfInterrupted } from '../interruption.ts';

/** Too short to be noticed, long enough to cost nothing. */
const RETRY_MILLISECONDS = 50;
const RENEWAL_MILLISECONDS = 10_000;

export interface LockAttempt<T> {
  /** What is locked, for the `waiting` event. */
  readonly object: string;
  /** @returns `undefined` while another process holds it */
  readonly tryToLock: () => T | undefined | Promise<T | undefined>;
  /** @returns `undefined` when the holder cannot be seen, or has ended already */
  readonly findHolder: () => Promise<string | undefined>;
  /** How often a long wait is reported again, with the holder of that moment. */
  readonly renewalMilliseconds?: number | undefined;
  /** Called before each further try. @throws what ends the wait */
  readonly checkWait?: ((waitedMilliseconds: number) => void) | undefined;
}

/**
 * Tries to lock until that succeeds. Reports who has the lock, at once and then every ten seconds.
 *
 * @throws INTERRUPTED, and what `checkWait` throws
 */
export async function waitForLock<T>(host: Host, attempt: LockAttempt<T>): Promise<T> {
  const { object, tryToLock, findHolder, renewalMilliseconds = RENEWAL_MILLISECONDS, checkWait } = attempt;
  const began = performance.now();
  let reportAt = began;
  for (let tries = 0; ; tries += 1) {
    const lock = await tryToLock();
    if (lock !== undefined) return lock;
    throwIfInterrupted(host);
    const now = performance.now();
    checkWait?.(now - began);
    if (now >= reportAt) {
      const holder = await findHolder();
      // A holder that took the lock a moment ago may not be known yet, or may have ended: the next try tells.
      if (holder !== undefined || tries > 0) {
        host.report({ kind: 'waiting', object, holder });
        reportAt = now + renewalMilliseconds;
      }
    }
    await sleep(RETRY_MILLISECONDS);
  }
}
