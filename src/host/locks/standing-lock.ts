/**
 * Locks on files that stay: `flock(2)`, shared or exclusive, which the kernel ends with the process. Nothing is written
 * into the file, because several may hold it; who they are is read from the kernel.
 */
import { constants, type FileHandle, open } from 'node:fs/promises';
import { isErrno, toFileError, withFileErrors } from '../../base/file-error.ts';
import type { Host } from '../host.ts';
import { lockBytes, unlockBytes } from './byte-lock.ts';
import { findFlockHolder } from './lock-holder.ts';
import { waitForLock } from './wait-for-lock.ts';

/**
 * The byte of the file that is locked, in the same mode, from before the file is asked for until it is locked. So those
 * who come later wait behind one that waits for the opposite mode: a stream of shared holders would keep it waiting for
 * ever.
 */
const TURN = { start: 0, length: 1 } as const;

/** How many shared locks this process holds on a path: an inner one must not wait behind whoever waits for the outer one. */
const heldHere = new Map<string, number>();

export interface StandingLockRequest {
  /** Absolute path of the lock file; its folder exists. */
  readonly path: string;
  readonly mode: 'shared' | 'exclusive';
  /** What is locked, for the `waiting` event. */
  readonly object: string;
  /** See `waitForLock`. */
  readonly renewalMilliseconds?: number;
}

/**
 * Runs an action while holding the lock. Waits for conflicting holders as long as it takes, and says so. A shared lock
 * may be taken again inside; an exclusive one waits for every other, also of this process.
 *
 * @throws INTERRUPTED while waiting; READ_ONLY, STORE_FAILED when the file cannot be opened
 */
export async function withStandingLock<T>(
  host: Host,
  request: StandingLockRequest,
  action: () => Promise<T>,
): Promise<T> {
  const flags = constants.O_RDWR | constants.O_CREAT;
  const file = await withFileErrors(`lock ${request.path}`, () => open(request.path, flags, 0o600));
  return runInTurn(host, file, request, action);
}

/**
 * As `withStandingLock`, for an action that works without changing the filesystem of the lock: on a file that is there a
 * lock can be taken whether the filesystem is writable or not.
 *
 * @returns `absent` when there is no lock file: nobody has ever taken the lock; the action was not run
 */
export async function withStandingLockIfThere<T>(
  host: Host,
  request: StandingLockRequest,
  action: () => Promise<T>,
): Promise<{ readonly kind: 'done'; readonly value: T } | { readonly kind: 'absent' }> {
  const file = await openUnless(request.path, constants.O_RDONLY, ['ENOENT']);
  if (file === undefined) return { kind: 'absent' };
  const value = await runLocked(file, () => lockFile(host, file, request), action);
  return { kind: 'done', value };
}

/**
 * Runs an action that only reads while holding the lock shared.
 *
 * Where the lock file is missing and cannot be made, the action runs without a lock. On a read-only filesystem that is
 * sound, because nobody can change what is read there. (Where only our mount of it is read-only somebody could; then a
 * reader may miss what is taken away meanwhile.) Where even the folder is missing there is nothing to read. A user who may
 * not open the file reads without it, too, as far as that goes.
 *
 * @throws INTERRUPTED while waiting; STORE_FAILED when the file cannot be opened
 */
export async function withReadersLock<T>(
  host: Host,
  request: Omit<StandingLockRequest, 'mode'>,
  action: () => Promise<T>,
): Promise<T> {
  // A file that is there is opened, whether the filesystem is writable or not.
  const flags = constants.O_RDONLY | constants.O_CREAT;
  const file = await openUnless(request.path, flags, ['EROFS', 'ENOENT', 'EACCES']);
  return file === undefined ? action() : runInTurn(host, file, { ...request, mode: 'shared' }, action);
}

async function openUnless(
  path: string,
  flags: number,
  expected: readonly string[],
): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if (expected.some((errno) => isErrno(error, errno))) return undefined;
    throw toFileError(error, `lock ${path}`);
  }
}

async function runInTurn<T>(
  host: Host,
  file: FileHandle,
  request: StandingLockRequest,
  action: () => Promise<T>,
): Promise<T> {
  const { path, mode } = request;
  if (mode === 'exclusive') return runLocked(file, () => lockInTurn(host, file, request), action);
  const isInner = (heldHere.get(path) ?? 0) > 0;
  const lock = () => (isInner ? lockFile(host, file, request) : lockInTurn(host, file, request));
  return runLocked(file, lock, async () => {
    heldHere.set(path, (heldHere.get(path) ?? 0) + 1);
    try {
      return await action();
    } finally {
      heldHere.set(path, (heldHere.get(path) ?? 0) - 1);
    }
  });
}

async function runLocked<T>(
  file: FileHandle,
  lock: () => Promise<void>,
  action: () => Promise<T>,
): Promise<T> {
  try {
    await lock();
    return await action();
  } finally {
    await file.close();
  }
}

async function lockInTurn(host: Host, file: FileHandle, request: StandingLockRequest): Promise<void> {
  await lockBytes(host, file, { ...request, ...TURN });
  await lockFile(host, file, request);
  await unlockBytes(file, TURN);
}

async function lockFile(host: Host, file: FileHandle, request: StandingLockRequest): Promise<void> {
  const { tryLock } = await import('../../native/libc.ts');
  await waitForLock(host, {
    ...request,
    tryToLock: () => tryLock(file.fd, request.mode) || undefined,
    findHolder: async () => findFlockHolder((await file.stat()).ino),
  });
}
