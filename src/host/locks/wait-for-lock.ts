/** The wait for a lock that another process holds: interruptible, and never silent. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../host.ts';
import { throwIfInterrupted } from '../interruption.ts';

/** A person does not notice this delay, and so few tries cost nothing. */
const RETRY_MILLISECONDS = 50;
const RENEWAL_MILLISECONDS = 10_000;

export interface LockAttempt<T> {
  /** The locked object, for the `waiting` event. */
  readonly object: string;
  /** @returns `undefined` while another process holds it */
  readonly tryToLock: () => T | undefined | Promise<T | undefined>;
  /** @returns `undefined` when the holder is hidden, or has ended */
  readonly findHolder: () => Promise<string | undefined>;
  /** The interval between two reports of a long wait. */
  readonly renewalMilliseconds?: number | undefined;
  /** Called before each further try. An error that it throws ends the wait. */
  readonly checkWait?: ((waitedMilliseconds: number) => void) | undefined;
}

/**
 * Tries to lock until that succeeds. Reports the holder of the lock at once, and then every ten seconds.
 *
 * @throws INTERRUPTED, and the errors of `checkWait`
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
      // A holder may not have written its line yet, or may have ended: then the report waits for the next try.
      if (holder !== undefined || tries > 0) {
        host.report({ kind: 'waiting', object, holder });
        reportAt = now + renewalMilliseconds;
      }
    }
    await sleep(RETRY_MILLISECONDS);
  }
}
