/** Finds out who holds a lock of the kernel, from `/proc` (proc(5)). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { toPrintable } from '../../base/printable.ts';
import { listProcesses, readProcess, readProcessFile } from '../mounts/processes.ts';

/** Longer command lines are cut in the message about the holder. */
const MAX_COMMAND = 120;

/**
 * The holder of a `flock(2)` on a file.
 *
 * @returns `process PID: COMMAND`; undefined when it has ended meanwhile, cannot be seen, or lives in another PID namespace
 */
export async function findFlockHolder(inode: number): Promise<string | undefined> {
  // Where /proc shows processes only, there is no such file.
  const locks = await readProcessFile('/proc/locks');
  return locks === undefined ? undefined : describeFirst(parseHolders(locks, inode));
}

/**
 * Parses `/proc/locks`: the processes that hold a `flock` on an inode. The device is not compared: overlay and btrfs show
 * another one there than `stat`.
 */
export function parseHolders(locks: string, inode: number): readonly string[] {
  return locks.split('\n').flatMap((line) => {
    const [, kind, , , pid = '', place = ''] = line.split(/\s+/);
    const isHeld = kind === 'FLOCK' && place.endsWith(`:${inode}`) && pid !== '0' && pid !== '-1';
    return isHeld ? [pid] : [];
  });
}

/**
 * The holder of a lock on bytes of a file. The kernel lists such a lock without a process, because it belongs to an open
 * file: so the process is looked for which has the file open with that lock.
 *
 * @param path of the file, absolute, without symlinks
 * @returns as `findFlockHolder`
 */
export function findByteHolder(path: string, start: number): string | undefined {
  const self = Number(readlinkSync('/proc/self'));
  return describeFirst(
    listProcesses()
      .filter((pid) => pid !== self && holdsByte(pid, path, start))
      .map(String),
  );
}

function holdsByte(pid: number, path: string, start: number): boolean {
  const files = readProcess(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return files.some((fd) =>
    readProcess(
      () =>
        readlinkSync(`/proc/${pid}/fd/${fd}`) === path &&
        locksByte(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'), start),
    ),
  );
}

/** Parses `/proc/PID/fdinfo/FD`, where each lock of an open file is a line such as `lock: 1: OFDLCK ADVISORY READ -1 fe:00:12 0 EOF`. */
export function locksByte(fdinfo: string, start: number): boolean {
  return fdinfo.split('\n').some((line) => {
    const [title, , kind, , , , , first, last] = line.split(/\s+/);
    if (title !== 'lock:' || kind !== 'OFDLCK') return false;
    return Number(first) <= start && (last === 'EOF' || Number(last) >= start);
  });
}

function describeFirst(pids: readonly string[]): string | undefined {
  for (const pid of pids) {
    const command = readCommand(pid);
    if (command !== undefined) return `process ${pid}: ${command}`;
  }
  return undefined;
}

/** The words of the program's command line, the program without its folder; they hold no passwords that `ps` hides. */
function readCommand(pid: string): string | undefined {
  return readProcess(() => {
    const [program = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const name = program.slice(program.lastIndexOf('/') + 1);
    return toPrintable([name, ...words].join(' ').trim(), MAX_COMMAND) || undefined;
  });
}
