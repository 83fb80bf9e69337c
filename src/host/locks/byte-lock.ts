/**
 * Locks on bytes of a file, also beyond its end: `fcntl(2)` locks of an open file (`F_OFD_SETLK`), which the kernel ends
 * with the process. One file serves any number of locks, and a lock leaves nothing to remove.
 */
import { constants, type FileHandle, open, realpath } from 'node:fs/promises';
import { toFileError } from '../../base/file-error.ts';
import type { ByteRange } from '../../native/libc.ts';
import type { Host } from '../host.ts';
import { findByteHolder } from './lock-holder.ts';
import { type LockAttempt, waitForLock } from './wait-for-lock.ts';

/** As libostree creates its lock file. */
const LOCK_MODE = 0o660;

interface ByteLockRequest
  extends ByteRange,
    Pick<LockAttempt<unknown>, 'object' | 'renewalMilliseconds' | 'checkWait'> {
  readonly mode: 'shared' | 'exclusive';
  /** Absolute path of the file; its folder exists. */
  readonly path: string;
}

/**
 * Runs an action while holding the lock. Waits for conflicting holders, and reports the wait.
 *
 * @throws INTERRUPTED while waiting, READ_ONLY, STORE_FAILED, and the errors of `checkWait`
 */
export async function withByteLock<T>(
  host: Host,
  request: ByteLockRequest,
  action: () => Promise<T>,
): Promise<T> {
  const { path } = request;
  const flags = constants.O_RDWR | constants.O_CREAT;
  const file = await open(path, flags, LOCK_MODE).catch((error: unknown) => {
    throw toFileError(error, `lock ${path}`);
  });
  try {
    await lockBytes(host, file, request);
    return await action();
  } finally {
    await file.close();
  }
}

/** Locks bytes of an open file. Closing the file ends the lock. */
export async function lockBytes(host: Host, file: FileHandle, request: ByteLockRequest): Promise<void> {
  const { tryLockBytes } = await import('../../native/libc.ts');
  const { path, mode, start } = request;
  await waitForLock(host, {
    ...request,
    tryToLock: () => tryLockBytes(file.fd, mode, request) || undefined,
    findHolder: async () => findByteHolder(await realpath(path), start),
  });
}

/** Ends a lock before the file is closed. */
export async function releaseBytes(file: FileHandle, range: ByteRange): Promise<void> {
  const libc = await import('../../native/libc.ts');
  libc.unlockBytes(file.fd, range);
}
