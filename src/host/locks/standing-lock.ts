/**
 * Locks on files that stay: `flock(2)`, shared or exclusive, which the kernel ends with the process. The file is empty,
 * because several processes may hold the lock; the kernel lists the holders.
 */
import { constants, type FileHandle, open } from 'node:fs/promises';
import { tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { FileMode } from '../../base/file-mode.ts';
import type { Host } from '../host.ts';
import { lockBytes, releaseBytes } from './byte-lock.ts';
import { findFlockHolder } from './lock-holder.ts';
import { waitForLock } from './wait-for-lock.ts';

/**
 * The byte that a process locks, in the same mode, while it waits for the lock on the file. A later process then waits
 * for an earlier one with the other mode. Without this byte a stream of shared holders could keep an exclusive one
 * waiting for ever.
 */
const TURN = { start: 0, length: 1 } as const;

/**
 * How many shared locks this process holds on each path. An inner one must not wait for a process that waits for the
 * outer one.
 */
const heldHere = new Map<string, number>();

export interface StandingLockRequest {
  /** Absolute path of the lock file; its folder exists. */
  readonly path: string;
  readonly mode: 'shared' | 'exclusive';
  /** The locked object, for the `waiting` event. */
  readonly object: string;
  /** See `waitForLock`. */
  readonly renewalMilliseconds?: number;
}

/**
 * Runs an action while holding the lock. Waits for conflicting holders without a limit, and reports the wait. The action
 * may take a shared lock again; an exclusive lock waits for every other one, also of this process.
 *
 * @throws INTERRUPTED while waiting; READ_ONLY, STORE_FAILED when the file cannot be opened
 */
export async function withStandingLock<T>(
  host: Host,
  request: StandingLockRequest,
  action: () => Promise<T>,
): Promise<T> {
  const flags = constants.O_RDWR | constants.O_CREAT;
  const file = await withFileErrors(`lock ${request.path}`, () =>
    open(request.path, flags, FileMode.private),
  );
  return runInTurn(host, file, request, action);
}

/**
 * As `withStandingLock`, for an action that does not change the filesystem of the lock. An existing file can be locked
 * also on a read-only filesystem.
 *
 * @returns `absent` when there is no lock file, because no process has taken the lock yet; then the action was not run
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
 * When the lock file is missing and cannot be created, the action runs without a lock. On a read-only filesystem no
 * process can change the files meanwhile. (When only our mount of it is read-only, another process can: then a reader may
 * miss files that are removed.) When the folder is missing, there is nothing to read. A user without permission to open
 * the file reads without a lock too.
 *
 * @throws INTERRUPTED while waiting; STORE_FAILED when the file cannot be opened
 */
export async function withReadersLock<T>(
  host: Host,
  request: Omit<StandingLockRequest, 'mode'>,
  action: () => Promise<T>,
): Promise<T> {
  // O_CREAT opens an existing file also on a read-only filesystem.
  const flags = constants.O_RDONLY | constants.O_CREAT;
  const file = await openUnless(request.path, flags, ['EROFS', 'ENOENT', 'EACCES']);
  return file === undefined ? action() : runInTurn(host, file, { ...request, mode: 'shared' }, action);
}

async function openUnless(
  path: string,
  flags: number,
  expected: readonly string[],
): Promise<FileHandle | undefined> {
  return withFileErrors(`lock ${path}`, () =>
    tolerateMissingAsync(() => open(path, flags, FileMode.private), expected),
  );
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
  await releaseBytes(file, TURN);
}

async function lockFile(host: Host, file: FileHandle, request: StandingLockRequest): Promise<void> {
  const { tryLock } = await import('../../native/libc.ts');
  await waitForLock(host, {
    ...request,
    tryToLock: () => tryLock(file.fd, request.mode) || undefined,
    findHolder: async () => findFlockHolder((await file.stat()).ino),
  });
}
