/**
 * The lock of the image store: `REPO/atomic.lock`. An action that needs objects without a ref holds it shared: a pull between
 * its transactions, an install between finding an image and writing `info`, a mount, an export, and readers. An action that
 * removes objects holds it exclusively: prune and repair. libostree's own lock covers only single transactions.
 */
import type { ProgressEvent } from '../../base/events.ts';
import type { Host } from '../../host/host.ts';
import { withReadersLock, withStandingLock } from '../../host/locks/standing-lock.ts';
import { isDamage } from '../../ostree/tolerate-damage.ts';
import { ensurePrivateStore } from './private-folders.ts';

const OBJECT = 'the image store';

/**
 * Runs an action during which no object of the store is removed. May be nested. Creates the repository's folder.
 *
 * @throws INTERRUPTED while waiting, READ_ONLY, STORE_FAILED
 */
export async function withSharedStore<T>(host: Host, action: () => Promise<T>): Promise<T> {
  return withLock(host, 'shared', action);
}

/**
 * As `withSharedStore`, for an action that only reads: creates no folder, and works on a read-only filesystem.
 *
 * @throws INTERRUPTED while waiting, STORE_FAILED
 */
export async function withReadableStore<T>(host: Host, action: () => Promise<T>): Promise<T> {
  return withReadersLock(host, { path: formatLockPath(host), object: OBJECT }, action);
}

/**
 * Runs an action that reads the store without its lock, so that it need not wait. When the action finds damage or warns, the
 * cause may be an image that was deleted and pruned meanwhile: the action then runs again with the lock.
 *
 * @throws errors of the action; INTERRUPTED while waiting for the lock
 */
export async function withSecondLook<T>(host: Host, action: (host: Host) => Promise<T>): Promise<T> {
  let hasWarned = false;
  const report = (event: ProgressEvent): void => {
    if (event.kind === 'warning') hasWarned = true;
    else host.report(event);
  };
  try {
    const found = await action({ ...host, report });
    if (!hasWarned) return found;
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  return withReadableStore(host, () => action(host));
}

/**
 * Runs an action while no other process uses the store. Must not be nested, also not in `withSharedStore`.
 *
 * @throws INTERRUPTED while waiting, READ_ONLY, STORE_FAILED
 */
export async function withExclusiveStore<T>(host: Host, action: () => Promise<T>): Promise<T> {
  return withLock(host, 'exclusive', action);
}

async function withLock<T>(host: Host, mode: 'shared' | 'exclusive', action: () => Promise<T>): Promise<T> {
  await ensurePrivateStore(host);
  return withStandingLock(host, { path: formatLockPath(host), mode, object: OBJECT }, action);
}

/** @returns absolute path of the lock file; see `image-lock.ts` and `standing-lock.ts` for the locks on its bytes */
export function formatLockPath(host: Host): string {
  return `${host.locations.repository}/atomic.lock`;
}
