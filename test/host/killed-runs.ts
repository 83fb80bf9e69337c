/**
 * Commands killed at chosen system calls of the real program, with strace: afterwards `atomic recover`, or the next
 * command, must bring the host to the old state or to the new one, never between.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { atomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts, readHostState } from './host-state.ts';
import { diffLooks, type HostLook } from './support/own-changes.ts';

export const journals = `${checkouts}/.atomic/journal`;
/** Of the container `web`, before it gets its name. */
export const newUnit = '/etc/systemd/system/.web.service.new';

/** The point at which a command is killed, and the expected state after the recovery. */
export interface KillCase {
  readonly call: string;
  /** First argument of the call. */
  readonly path: string;
  readonly outcome: 'absent' | 'installed';
  /** Whether the command had begun to change anything. */
  readonly isRecovered: boolean;
}

export interface Bench extends AsyncDisposable {
  readonly image: string;
  /** Restores the host to the state without the container `web`. */
  reset(): Promise<void>;
  /** Lines of differences when it is neither. Contents that are new each time (times, UUID) do not count. */
  readOutcome(): Promise<KillCase['outcome'] | readonly string[]>;
}

/** Learns how the host looks with and without the container `web`. */
export async function openBench(): Promise<Bench> {
  const images: ImageSource = await openImageSource();
  const image = await images.push('service', { exports: serviceExports });
  await atomic(['install', '--system', '--name', 'web', image]);
  const installed = readHostState();
  await atomic(['uninstall', 'web']);
  const absent = readHostState();
  const readOutcome = () => compare(absent, installed);
  return {
    image,
    readOutcome,
    async reset() {
      await atomic(['recover']);
      if (existsSync(`${checkouts}/web`)) await atomic(['uninstall', 'web']);
      const outcome = await readOutcome();
      if (outcome !== 'absent') throw new Error(`left by the test before: ${JSON.stringify(outcome)}`);
    },
    [Symbol.asyncDispose]: () => images[Symbol.asyncDispose](),
  };
}

/** Runs `atomic ARGS` and kills it when it enters a system call; with a path, one whose first argument it is. */
export function runKilled(args: readonly string[], call: string, path?: string): void {
  const where = path === undefined ? [] : ['-P', path];
  const what = [...where, '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL`];
  const run = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', ...what, 'atomic', ...args], {
    encoding: 'utf8',
  });
  if (run.signal !== 'SIGKILL') throw new Error(`not killed: ${run.status} ${run.stdout}${run.stderr}`);
}

/**
 * Runs `atomic ARGS` on a disk with errors.
 *
 * @param faults system call -> first argument, or folder that a descriptor leads to
 */
export function runWithDiskErrors(
  args: readonly string[],
  faults: Readonly<Record<string, string>>,
): { readonly status: number | null; readonly stderr: string } {
  const paths = Object.values(faults).flatMap((path) => ['-P', path]);
  const calls = Object.keys(faults);
  const injections = calls.flatMap((call) => ['-e', `inject=${call}:error=EIO`]);
  const what = [...paths, '-e', `trace=${calls.join(',')}`, ...injections];
  return spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', ...what, 'atomic', ...args], {
    encoding: 'utf8',
  });
}

async function compare(
  absent: HostLook,
  installed: HostLook,
): Promise<KillCase['outcome'] | readonly string[]> {
  const now = readHostState();
  if (diffLooks(absent, now).length === 0) return 'absent';
  const isNewEachTime = (line: string) => line.startsWith('~ ') && line.includes(' mtime ');
  const difference = diffLooks(installed, now).filter((line) => !isNewEachTime(line));
  return difference.length === 0 ? 'installed' : difference;
}
