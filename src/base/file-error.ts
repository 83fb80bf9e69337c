import { explainSystemError, findErrno } from './errno.ts';
import { AtomicError, type ErrorCode } from './errors.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EROFS: 'READ_ONLY',
  EXDEV: 'CROSS_DEVICE',
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
  const { reason, hint } = explainSystemError(error);
  return new AtomicError(codes[errno] ?? 'STORE_FAILED', `${step}: ${reason}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
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

/**
 * Runs a file operation whose file or folder may be missing.
 *
 * @param errnos the failures that mean that it is missing
 * @returns `undefined` when it is missing
 */
export function tolerateMissing<T>(action: () => T, errnos: readonly string[] = ['ENOENT']): T | undefined {
  try {
    return action();
  } catch (error) {
    if (errnos.some((errno) => isErrno(error, errno))) return undefined;
    throw error;
  }
}

/** As `tolerateMissing`, for an operation that is awaited. */
export async function tolerateMissingAsync<T>(
  action: () => Promise<T>,
  errnos: readonly string[] = ['ENOENT'],
): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (errnos.some((errno) => isErrno(error, errno))) return undefined;
    throw error;
  }
}
