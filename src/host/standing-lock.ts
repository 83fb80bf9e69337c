/**
 * Locks on files that stay: `flock(2)`, shared or exclusive, which the kernel ends with the process. Nothing is written
 * into the file, because several may hold it; who they are is read from the kernel.
 */
import { constants, type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { toPrintable } from '../core/printable.ts';
import { isErrno, withFileErrors } from './file-error.ts';
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
  const { tryLock } = await import('../native/libc.ts');
  const file = await withFileErrors(`lock ${request.path}`, () =>
    open(request.path, constants.O_RDWR | constants.O_CREAT, 0o600),
  );
  try {
    for (let isReported = false; !tryLock(file.fd, request.mode); isReported = true) {
      throwIfInterrupted(host);
      if (!isReported) {
        host.report({ kind: 'waiting', object: request.object, holder: await findHolder(file) });
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
