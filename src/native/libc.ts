/** Calls of the C library that Node has no API for. Every function returns plain data or throws `SystemCallFailed`. */
import { getSystemErrorMap } from 'node:util';
import { koffi, loadLibrary } from './koffi.ts';

const libc = loadLibrary('libc.so.6');
const flockCall = libc.func('int flock(int fd, int operation)');
const pipeCall = libc.func('int pipe2(_Out_ int *fds, int flags)');
const fcntlCall = libc.func('int fcntl(int fd, int command, int argument)');
const syncfsCall = libc.func('int syncfs(int fd)');
const memfdCall = libc.func('int memfd_create(const char *name, unsigned int flags)');

/** `struct flock` of 64-bit Linux. */
koffi.struct('atomic_flock', {
  l_type: 'int16_t',
  l_whence: 'int16_t',
  l_start: 'int64_t',
  l_len: 'int64_t',
  l_pid: 'int32_t',
});
const lockBytesCall = libc.func('int fcntl(int fd, int command, atomic_flock *range)');

const renameCall = libc.func(
  'int renameat2(int fromfd, const char *from, int tofd, const char *to, uint32_t flags)',
);

const AT_FDCWD = -100;
const RENAME_NOREPLACE = 1;
const O_CLOEXEC = 0o2000000;
const F_SETPIPE_SZ = 1031;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const MFD_CLOEXEC = 1;
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** A system call returned -1. The names are those of Node's own errors; `code` is the errno, such as `ENOSPC`. */
export class SystemCallFailed extends Error {
  readonly syscall: string;
  readonly code: string;
  readonly path: string | undefined;

  constructor(call: string, errno: number, path?: string) {
    const [code, text] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, `errno ${errno}`];
    super(`${call}: ${text}`);
    this.name = 'SystemCallFailed';
    this.syscall = call;
    this.code = code;
    this.path = path;
  }
}

/**
 * Tries to take a `flock(2)` on an open file without waiting. The lock ends when the last copy of `fd` is closed,
 * also by the death of the process.
 *
 * @returns false when another process holds a lock that conflicts
 */
export function tryLock(fd: number, mode: 'shared' | 'exclusive'): boolean {
  const result: number = flockCall(fd, (mode === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB);
  if (result === 0) return true;
  const errno = koffi.errno();
  if (errno === koffi.os.errno.EWOULDBLOCK || errno === koffi.os.errno.EAGAIN) return false;
  throw new SystemCallFailed('flock', errno);
}

export interface ByteRange {
  readonly start: number;
  /** 0 means everything from `start` on, however long the file becomes. */
  readonly length: number;
}

/**
 * Tries to take a lock on bytes of an open file without waiting. It belongs to the open file as that of `tryLock` does; a
 * shared one needs a file that is open for reading, an exclusive one for writing.
 *
 * @returns false when another open file holds a lock that conflicts
 */
export function tryLockBytes(fd: number, mode: 'shared' | 'exclusive', range: ByteRange): boolean {
  const result = setByteLock(fd, mode === 'shared' ? F_RDLCK : F_WRLCK, range);
  if (result === 0) return true;
  const errno = koffi.errno();
  if (errno === koffi.os.errno.EAGAIN || errno === koffi.os.errno.EACCES) return false;
  throw new SystemCallFailed('fcntl', errno);
}

/** Ends the locks of an open file on bytes. */
export function unlockBytes(fd: number, range: ByteRange): void {
  if (setByteLock(fd, F_UNLCK, range) !== 0) throw new SystemCallFailed('fcntl', koffi.errno());
}

function setByteLock(fd: number, type: number, { start, length }: ByteRange): number {
  const range = { l_type: type, l_whence: 0, l_start: start, l_len: length, l_pid: 0 };
  return lockBytesCall(fd, F_OFD_SETLK, range);
}

/**
 * Creates a file that is in memory only and has no name. It disappears when its last descriptor is closed, also by
 * `kill -9`.
 */
export function createMemoryFile(name: string): number {
  const fd: number = memfdCall(name, MFD_CLOEXEC);
  if (fd < 0) throw new SystemCallFailed('memfd_create', koffi.errno());
  return fd;
}

/** Writes the whole filesystem that holds `fd` to the disk. Blocks until that is done. */
export function syncFilesystem(fd: number): void {
  const result: number = syncfsCall(fd);
  if (result !== 0) throw new SystemCallFailed('syncfs', koffi.errno());
}

/** As `syncFilesystem`, in a thread of the pool. */
export function syncFilesystemAsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    syncfsCall.async(fd, (error: Error | null, result: number) => {
      if (error !== null) reject(error);
      else if (result !== 0) reject(new SystemCallFailed('syncfs', koffi.errno()));
      else resolve();
    });
  });
}

/**
 * Opens a pipe that children do not inherit.
 *
 * @param bytes requested capacity, see `growPipe`
 */
export function openPipe(bytes: number): { readEnd: number; writeEnd: number } {
  const fds: [number, number] = [-1, -1];
  const result: number = pipeCall(fds, O_CLOEXEC);
  if (result !== 0) throw new SystemCallFailed('pipe2', koffi.errno());
  growPipe(fds[1], bytes);
  return { readEnd: fds[0], writeEnd: fds[1] };
}

/** Requests a larger pipe. The pipe keeps its size when the request exceeds the kernel's limit for the user. */
export function growPipe(fd: number, bytes: number): void {
  fcntlCall(fd, F_SETPIPE_SZ, bytes);
}

/** Renames a file or folder to an unused name. @throws SystemCallFailed EEXIST when the name is used */
export function renameNew(from: string, to: string): void {
  const result: number = renameCall(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
  if (result !== 0) throw new SystemCallFailed('renameat2', koffi.errno());
}
