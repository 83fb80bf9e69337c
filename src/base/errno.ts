/** Failed system calls, as the runtime throws them, in words for a person. */

interface ErrnoWords {
  readonly reason: string;
  readonly hint?: string;
}

/** Those that a host meets without a mistake of this program. */
const words: Readonly<Record<string, ErrnoWords>> = {
  ENOSPC: { reason: 'no space left on the filesystem', hint: 'Free some space and try again.' },
  EDQUOT: { reason: 'the disk quota is used up', hint: 'Free some space and try again.' },
  EROFS: { reason: 'the filesystem is read-only', hint: 'Make the filesystem writable and try again.' },
  EXDEV: { reason: 'it is on another filesystem' },
  EACCES: { reason: 'permission denied' },
  EPERM: { reason: 'operation not permitted' },
  EIO: {
    reason: 'input/output error of the disk',
    hint: 'See `dmesg` for what the kernel says of the disk.',
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

/** Why a system call failed, and what to do about it. @param error one with an errno */
export function explainSystemError(error: Error): ErrnoWords {
  return words[findErrno(error) ?? ''] ?? { reason: readSystemWords(error.message) };
}

/** The failed call and its path, as far as known: `open /etc/x: the filesystem is read-only`. */
export function describeSystemError(error: Error): string {
  const { syscall, path, dest } = error as { syscall?: unknown; path?: unknown; dest?: unknown };
  const call = [syscall, path, dest].filter((word) => typeof word === 'string').join(' ');
  const { reason } = explainSystemError(error);
  return call === '' ? reason : `${call}: ${reason}`;
}

/** `EBADF: bad file descriptor, write` without the code and the call. */
function readSystemWords(message: string): string {
  return message.replace(/^E[A-Z0-9]+: /, '').replace(/, [a-z0-9]+( '.*)?$/s, '');
}
