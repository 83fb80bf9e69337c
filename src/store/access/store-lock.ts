/**
 * The lock of the image store: `REPO/atomic.lock`. Whoever needs objects that no ref protects yet, or still, holds it
 * shared: a pull between its transactions, an install between finding an image and writing `info`, a mount, an export, and
 * those who only read.
 * Whoever takes objects away holds it exclusively: prune and repair. libostree's own lock covers single transactions
 * only.
 */
import type { Host } from '../../host/host.ts';
import { withReadersLock, withStandingLock } from '../../host/locks/standing-lock.ts';
import { ensurePrivateStore } from './private-folders.ts';

const OBJECT = 'the image store';

/**
 * Runs an action during which no object of the store goes away. May be nested. Creates the repository's folder.
 *
 * @throws INTERRUPTED while waiting, READ_ONLY, STORE_FAILED
 */
export async function withSharedStore<T>(host: Host, action: () => Promise<T>): Promise<T> {
  return withLock(host, 'shared', action);
}

/**
 * As `withSharedStore`, for an action that only reads: creates no folder, and works on a filesystem that is read-only.
 *
 * @throws INTERRUPTED while waiting, STORE_FAILED
 */
export async function withReadableStore<T>(host: Host, action: () => Promise<T>): Promise<T> {
  return withReadersLock(host, { path: formatLockPath(host), object: OBJECT }, action);
}

/**
 * Runs an action that nobody else's use of the store overlaps. Must not be nested, not in a shared one either.
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

/** Absolute path of the file; its bytes are locks of their own, see `image-lock.ts` and `standing-lock.ts`. */
export function formatLockPath(host: Host): string {
  return `${host.locations.repository}/atomic.lock`;
}
