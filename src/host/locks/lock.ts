/**
 * Locks on files that exist only while the lock is held: `flock(2)`, which the kernel ends with the process. The file
 * holds one line about the holder. After a kill the file remains, without a lock; the next holder uses it. For locks on
 * files that stay, see `standing-lock.ts`.
 */
import { constants, type FileHandle, open, readlink, stat, unlink } from 'node:fs/promises';
import { isErrno, tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { FileMode } from '../../base/file-mode.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../host.ts';
import { waitForLock } from './wait-for-lock.ts';

const maxHolderBytes = 500;

export interface LockRequest {
  /** Absolute path of the lock file; its folder exists. */
  readonly path: string;
  /** The locked object, for the `waiting` event: a container name. */
  readonly object: string;
  /** The operation of the holder, without secrets: `atomic install etcd`. */
  readonly purpose: string;
  /** See `waitForLock`. */
  readonly renewalMilliseconds?: number;
}

export type LockResult<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'busy' };

/**
 * Runs an action while holding an exclusive lock. Waits for another holder without a limit, and reports the wait.
 *
 * @throws INTERRUPTED while waiting
 */
export async function withLock<T>(host: Host, request: LockRequest, action: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(host, {
    ...request,
    tryToLock: () => tryToLock(request),
    findHolder: () => findHolder(request.path),
  });
  return runLocked(request.path, lock, action);
}

/** Runs an action while holding an exclusive lock. Returns `busy` at once when another process holds it. */
export async function withLockIfFree<T>(
  request: LockRequest,
  action: () => Promise<T>,
): Promise<LockResult<T>> {
  const lock = await tryToLock(request);
  if (lock === undefined) return { kind: 'busy' };
  return { kind: 'done', value: await runLocked(request.path, lock, action) };
}

async function runLocked<T>(path: string, lock: FileHandle, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } finally {
    // The file is removed while the lock is held: a process that waits on it then finds another file, or none, there.
    await withFileErrors(`remove ${path}`, () => unlink(path)).finally(() => lock.close());
  }
}

async function tryToLock(request: LockRequest): Promise<FileHandle | undefined> {
  const { tryLock } = await import('../../native/libc.ts');
  return withFileErrors(`lock ${request.path}`, async () => {
    for (;;) {
      const file = await open(request.path, constants.O_RDWR | constants.O_CREAT, FileMode.private);
      let taken = false;
      try {
        if (!tryLock(file.fd, 'exclusive')) return undefined;
        taken = await isStillThere(request.path, file);
        if (taken) {
          await writeHolder(file, request.purpose);
          return file;
        }
      } catch (error) {
        taken = false;
        throw error;
      } finally {
        if (!taken) await file.close();
      }
    }
  });
}

/** False when the previous holder removed the file between our `open` and our lock. */
async function isStillThere(path: string, file: FileHandle): Promise<boolean> {
  const [named, opened] = await Promise.all([tolerateMissingAsync(() => stat(path)), file.stat()]);
  return named?.ino === opened.ino && named.dev === opened.dev;
}

/** On a full disk the line is left out, because commands that free space must work there. */
async function writeHolder(file: FileHandle, purpose: string): Promise<void> {
  const pid = await readlink('/proc/self');
  await file.truncate(0);
  try {
    await file.write(`process ${pid}: ${purpose}\n`, 0);
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
  }
}

/** @returns `undefined` when the holder has not written its line yet, or has ended */
async function findHolder(path: string): Promise<string | undefined> {
  const file = await tolerateMissingAsync(() => open(path, 'r'));
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxHolderBytes), 0, maxHolderBytes, 0);
    return toPrintable(buffer.toString('utf8', 0, bytesRead)).trim() || undefined;
  } finally {
    await file.close();
  }
}
