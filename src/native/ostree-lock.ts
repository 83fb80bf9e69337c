/** libostree's own lock on a repository, shared: the calls are newer (2021.3) than those of `ostree.ts`. */
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

/** Keeps the shared lock that the open transaction has, beyond the end of that. Locks are counted: this one waits for none. */
export function keepSharedLock(repo: Pointer): void {
  const error: PointerSlot = [null];
  if (!lockPush(repo, LOCK_SHARED, null, error)) throw takeError(error);
}

export function releaseSharedLock(repo: Pointer): void {
  const error: PointerSlot = [null];
  if (!lockPop(repo, LOCK_SHARED, null, error)) throw takeError(error);
}

/**
 * Takes the repository's lock exclusively: no transaction of any program is open then. Waits as long as the setting
 * `lock-timeout-secs` of the repository says, 300 seconds by default, and fails with `g-io-error-quark` 27 after that.
 */
export async function lockExclusively(repo: Pointer): Promise<void> {
  const error: PointerSlot = [null];
  if (!(await callAsync(lockPush, [repo, LOCK_EXCLUSIVE, null, error]))) throw takeError(error);
}

export function unlockExclusively(repo: Pointer): void {
  const error: PointerSlot = [null];
  if (!lockPop(repo, LOCK_EXCLUSIVE, null, error)) throw takeError(error);
}
