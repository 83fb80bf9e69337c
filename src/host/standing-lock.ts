/**
 * Locks on files that stay: `flock(2)`, shared or exclusive, which the kernel ends with the process. Nothing is written
 * into the file, because several may hold it; who they are is read from the kernel.
 */
import { constants, type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { toPrintable } from '../core/printable.ts';
import { isErrno, toFileError, withFileErrors } from './file-error.ts';
import type { Host } from './host.ts';
import { throwIfInterrupted } from './interruption.ts';

const RETRY_MILLISECONDS = 50;
/** Longer command lines are cut in the message about the holder. */
const MAX_COMMAND = 120;

export interface StandingLockRequest {
  /** Absolute path of the lock file; its folder exists. */
  readonly path: string;
  readonly mode: 'shared' | 'exclusive';
  /** What is locked, for the `waiting` event. */
  readonly object: string;
}

/**
 * Runs an action while holding the lock. Waits for conflicting holders as long as it takes, and reports once that it
 * does. A shared lock may be taken again inside; an exclusive one waits for every other, also of this process.
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
  return runLocked(host, file, request, action);
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
  return { kind: 'done', value: await runLocked(host, file, request, action) };
}

/**
 * Runs an action that only reads while holding the lock shared.
 *
 * Where the lock file is missing and cannot be made, the action runs without a lock. On a read-only filesystem that is
 * sound, because nobody can change what is read there. (Where only our mount of it is read-only somebody could; then a
 * reader may miss what is taken away meanwhile.) Where even the folder is missing there is nothing to read.
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
  const file = await openUnless(request.path, flags, ['EROFS', 'ENOENT']);
  return file === undefined ? action() : runLocked(host, file, { ...request, mode: 'shared' }, action);
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

async function runLocked<T>(
  host: Host,
  file: FileHandle,
  { mode, object }: StandingLockRequest,
  action: () => Promise<T>,
): Promise<T> {
  const { tryLock } = await import('../native/libc.ts');
  try {
    for (let isReported = false; !tryLock(file.fd, mode); isReported = true) {
      throwIfInterrupted(host);
      if (!isReported) {
        host.report({ kind: 'waiting', object, holder: await findHolder(file) });
      }
      await sleep(RETRY_MILLISECONDS);
    }
    return await action();
  } finally {
    await file.close();
  }
}

/** Undefined when the holder has ended meanwhile, or lives in another PID namespace. */
async function findHolder(file: FileHandle): Promise<string | undefined> {
  const { ino } = await file.stat();
  for (const pid of parseHolders(await readFile('/proc/locks', 'utf8'), ino)) {
    const command = await readCommand(pid);
    if (command !== undefined) return `process ${pid}: ${command}`;
  }
  return undefined;
}

/**
 * Parses `/proc/locks` (proc(5)): the processes that hold a `flock` on an inode. The device is not compared: overlay and
 * btrfs show another one there than `stat`.
 */
export function parseHolders(locks: string, inode: number): readonly string[] {
  return locks.split('\n').flatMap((line) => {
    const [, kind, , , pid = '', place = ''] = line.split(/\s+/);
    const isHeld = kind === 'FLOCK' && place.endsWith(`:${inode}`) && pid !== '0' && pid !== '-1';
    return isHeld ? [pid] : [];
  });
}

/** The words of the program's command line, the program without its folder; they hold no passwords that `ps` hides. */
async function readCommand(pid: string): Promise<string | undefined> {
  try {
    await stat(`/proc/${pid}`);
    const [program = '', ...words] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    const name = program.slice(program.lastIndexOf('/') + 1);
    return toPrintable([name, ...words].join(' ').trim(), MAX_COMMAND) || undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH') || isErrno(error, 'EACCES')) return undefined;
    throw error;
  }
}
