/** Finds the process that holds a lock, from `/proc` (proc(5)). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { toPrintable } from '../../base/printable.ts';
import { listProcesses, readProcess, readProcessFile } from '../mounts/processes.ts';

/** The longest command line in the message about the holder, in characters. */
const MAX_COMMAND = 120;

/**
 * Finds the holder of a `flock(2)` on a file.
 *
 * @returns `process PID: COMMAND`; `undefined` when it has ended, is hidden, or is in another PID namespace
 */
export async function findFlockHolder(inode: number): Promise<string | undefined> {
  // With ProcSubset=pid, /proc has no such file.
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
 * Finds the holder of a lock on bytes of a file. The lock belongs to an open file, and the kernel lists it without a
 * process: this function looks for a process with that open file.
 *
 * @param path the file: absolute, without symlinks
 * @param start offset of the first locked byte
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

/**
 * Parses `/proc/PID/fdinfo/FD`, where each lock of an open file is a line such as `lock: 1: OFDLCK ADVISORY READ -1
 * fe:00:12 0 EOF`.
 */
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

/** The command line, with the program without its folder. `ps` shows the same words to every user. */
function readCommand(pid: string): string | undefined {
  return readProcess(() => {
    const [program = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const name = program.slice(program.lastIndexOf('/') + 1);
    return toPrintable([name, ...words].join(' ').trim(), MAX_COMMAND) || undefined;
  });
}
