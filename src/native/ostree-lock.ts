/** libostree's own lock on a repository. The calls are newer (2021.3) than those of `ostree.ts`. */
import { type Pointer, type PointerSlot, takeError } from './glib.ts';
import { loadLibrary } from './koffi.ts';
import { callAsync } from './ostree.ts';

const LOCK_SHARED = 0;
const LOCK_EXCLUSIVE = 1;

const library = loadLibrary('libostree-1.so.1');
const lockPush = library.func(
  'bool ostree_repo_lock_push(void *repo, int type, void *cancel, _Out_ void **error)',
);
const lockPop = library.func(
  'bool ostree_repo_lock_pop(void *repo, int type, void *cancel, _Out_ void **error)',
);

/** Keeps the shared lock of the open transaction after the transaction ends. Locks are counted, so this call never waits. */
export function keepSharedLock(repo: Pointer): void {
  const error: PointerSlot = [null];
  if (!lockPush(repo, LOCK_SHARED, null, error)) throw takeError(error);
}

export function releaseSharedLock(repo: Pointer): void {
  const error: PointerSlot = [null];
  if (!lockPop(repo, LOCK_SHARED, null, error)) throw takeError(error);
}

/**
 * Takes the repository's lock exclusively, when no program has a transaction open. Waits for at most
 * `lock-timeout-secs` of the repository's configuration, 300 seconds by default.
 *
 * @throws GErrorThrown `g-io-error-quark` 27 after that time
 */
export async function lockExclusively(repo: Pointer): Promise<void> {
  const error: PointerSlot = [null];
  if (!(await callAsync(lockPush, [repo, LOCK_EXCLUSIVE, null, error]))) throw takeError(error);
}

export function unlockExclusively(repo: Pointer): void {
  const error: PointerSlot = [null];
  if (!lockPop(repo, LOCK_EXCLUSIVE, null, error)) throw takeError(error);
}
