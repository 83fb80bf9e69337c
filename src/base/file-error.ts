/** Turns failed system calls, as the runtime throws them, into errors for a person. */
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
 * @param error the caught value; anything that is not a failed system call is returned unchanged, because it is a bug
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

/** Whether a system call failed with one of these errnos, such as `ENOENT`. */
export function isErrno(error: unknown, ...errnos: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && errnos.some((errno) => error.code === errno);
}

/** The failures when a path leads to nothing: also when a part of it is a file. */
export const noPath: readonly string[] = ['ENOENT', 'ENOTDIR'];

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
    if (isErrno(error, ...errnos)) return undefined;
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
    if (isErrno(error, ...errnos)) return undefined;
    throw error;
  }
}

interface ErrnoWords {
  readonly reason: string;
  readonly hint?: string;
}

export const DISK_HINT = 'See `dmesg` for the messages of the kernel about the disk.';

/** The errors that a host can cause without a mistake in this program. */
const words: Readonly<Record<string, ErrnoWords>> = {
  ENOSPC: { reason: 'no space left on the filesystem', hint: 'Free some space and try again.' },
  EDQUOT: { reason: 'the disk quota is used up', hint: 'Free some space and try again.' },
  EROFS: { reason: 'the filesystem is read-only', hint: 'Make the filesystem writable and try again.' },
  EXDEV: { reason: 'it is on another filesystem' },
  EACCES: { reason: 'permission denied' },
  EPERM: { reason: 'operation not permitted' },
  EIO: {
    reason: 'input/output error of the disk',
    hint: DISK_HINT,
  },
  ENOENT: { reason: 'there is no such file or folder' },
  ENOTDIR: { reason: 'a part of the path is not a folder' },
  EISDIR: { reason: 'it is a folder' },
  ELOOP: { reason: 'too many symlinks' },
  ENAMETOOLONG: { reason: 'the name is too long' },
  EMLINK: { reason: 'the file has too many hard links' },
  EMFILE: { reason: 'too many open files', hint: 'Raise the limit of open files (ulimit -n) and try again.' },
  ENFILE: { reason: 'the machine has too many open files', hint: 'See /proc/sys/fs/file-nr; try again.' },
  ENOMEM: { reason: 'the machine has no memory left', hint: 'Free some memory and try again.' },
  EAGAIN: { reason: 'a limit of the machine is reached', hint: 'Try again; see ulimit -u for processes.' },
  ENOTSUP: { reason: 'the filesystem does not support that' },
  EOPNOTSUPP: { reason: 'the filesystem does not support that' },
};

/** The name of the errno with which a system call failed, such as `ENOENT`; `undefined` for any other error. */
export function findErrno(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/** Explains why a system call failed, and gives a hint. @param error an error with an errno */
export function explainSystemError(error: Error): ErrnoWords {
  return words[findErrno(error) ?? ''] ?? { reason: readSystemWords(error.message) };
}

/** Names the failed call and its path, where they are known: `open /etc/x: the filesystem is read-only`. */
export function describeSystemError(error: Error): string {
  const { syscall, path, dest } = error as { syscall?: unknown; path?: unknown; dest?: unknown };
  const call = [syscall, path, dest].filter((word) => typeof word === 'string').join(' ');
  const { reason } = explainSystemError(error);
  return call === '' ? reason : `${call}: ${reason}`;
}

/** Formats a caught value for a person, as the end of a sentence. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return findErrno(error) === undefined ? error.message : describeSystemError(error);
}

/** `EBADF: bad file descriptor, write` without the code and the call. */
function readSystemWords(message: string): string {
  return message.replace(/^E[A-Z0-9]+: /, '').replace(/, [a-z0-9]+( '.*)?$/s, '');
}
