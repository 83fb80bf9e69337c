/** The changes of a run of atomic, and runs that are killed at one of them, with strace. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

export interface KillPoint {
  readonly call: string;
  /** The first path of the call; undefined for any. */
  readonly path: string | undefined;
  /** Counts from 1. */
  readonly occurrence: number;
}

const changes =
  'rename,renameat,renameat2,symlink,symlinkat,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,fsync,fdatasync,syncfs';
/** Starts of programs and of threads. */
const starts = 'vfork,clone,clone3';
const log = '/tmp/kill-points.strace';

/** Runs a command to its end, and lists its changes in their order. Of each kind of change in a root filesystem, one. */
export function recordKillPoints(args: readonly string[]): readonly KillPoint[] {
  const options = ['-f', '-y', '-qq', '-s', '4096', '-o', log, '-e', `trace=execve,${changes},${starts}`];
  const run = spawnSync('strace', [...options, '-e', 'signal=none', 'atomic', ...args], { encoding: 'utf8' });
  if (run.error !== undefined) throw run.error;
  const lines = readFileSync(log, 'utf8').split('\n');
  rmSync(log);
  return listPoints(lines);
}

function listPoints(lines: readonly string[]): readonly KillPoint[] {
  const parsed = lines.flatMap((line) => {
    const [, process = '', call = '', rest = ''] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? [];
    return process === '' ? [] : [{ process, call, rest }];
  });
  const main = parsed[0]?.process;
  const programs = new Set(
    parsed.filter(({ process, call }) => call === 'execve' && process !== main).map(({ process }) => process),
  );
  const points: KillPoint[] = [];
  const counts = new Map<string, number>();
  for (const { process, call, rest } of parsed) {
    if (programs.has(process) || call === 'execve') continue;
    const isStart = starts.split(',').includes(call);
    if (isStart && process !== main) continue;
    const path = isStart ? undefined : readPath(rest);
    if (!isStart && path === undefined) continue;
    const key = `${call} ${path?.replace(/\/(rootfs|objects|tmp)\/.*/, '/$1')}`;
    const occurrence = (counts.get(key) ?? 0) + 1;
    counts.set(key, occurrence);
    if (/\/(rootfs|objects|tmp)$/.test(key) && occurrence > 1) continue;
    points.push({ call, path, occurrence });
  }
  return points;
}

/** The first argument that is a text, otherwise the path of the descriptor. */
function readPath(rest: string): string | undefined {
  return /"((?:[^"\\]|\\.)*)"/.exec(rest)?.[1] ?? /^\d+<([^>]*)>/.exec(rest)?.[1];
}

/**
 * Runs a command and kills it when it enters the call.
 *
 * @returns false when the command ended before: strace counts the calls of each thread
 */
export function killAt(args: readonly string[], { call, path, occurrence }: KillPoint): boolean {
  const where = path === undefined ? [] : ['-P', path];
  const injection = `inject=${call}:signal=KILL:when=${occurrence}`;
  const what = [...where, '-e', `trace=${call}`, '-e', injection];
  const run = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', ...what, 'atomic', ...args], {
    encoding: 'utf8',
  });
  return run.signal === 'SIGKILL';
}
