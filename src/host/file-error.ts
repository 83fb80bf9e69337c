import { findErrno } from '../core/errno.ts';
import { AtomicError, type ErrorCode } from '../core/errors.ts';

const codes: Readonly<Record<string, { code: ErrorCode; reason: string; hint?: string }>> = {
  ENOSPC: {
    code: 'NO_SPACE',
    reason: 'no space left on the filesystem',
    hint: 'Free some space and try again.',
  },
  EDQUOT: { code: 'NO_SPACE', reason: 'the disk quota is used up', hint: 'Free some space and try again.' },
  EROFS: {
    code: 'READ_ONLY',
    reason: 'the filesystem is read-only',
    hint: 'Make the filesystem writable and try again.',
  },
  EXDEV: { code: 'CROSS_DEVICE', reason: 'it is on another filesystem' },
  EACCES: { code: 'STORE_FAILED', reason: 'permission denied' },
  EPERM: { code: 'STORE_FAILED', reason: 'operation not permitted' },
  EIO: { code: 'STORE_FAILED', reason: 'input/output error of the disk' },
};

/**
 * Turns a failed system call into an error for a person.
 *
 * @param error what was caught; anything that is not a failed system call is returned unchanged, because it is a bug
 * @param step "verb object", such as `write /etc/tmpfiles.d/etcd.conf`
 */
export function toFileError(error: unknown, step: string): unknown {
  const errno = findErrno(error);
  if (errno === undefined || error instanceof AtomicError || !(error instanceof Error)) return error;
  const known = codes[errno] ?? { code: 'STORE_FAILED' as const, reason: error.message };
  const hint = known.hint === undefined ? {} : { hint: known.hint };
  return new AtomicError(known.code, `${step}: ${known.reason}`, { cause: error, ...hint });
}

/** Runs one file operation; a failed system call becomes an error for a person. */
export async function withFileErrors<T>(step: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw toFileError(error, step);
  }
}

/** Whether a system call failed with this errno, such as `ENOENT`. */
export function isErrno(error: unknown, errno: string): boolean {
  return error instanceof Error && 'code' in error && error.code === errno;
}
