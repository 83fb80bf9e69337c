/** Finds the OCI runtime for a container and the options that it supports, and asks it about containers. */
import { access, constants, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { isJsonObject, tryParseJson } from '../../base/json-text.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../host.ts';
import { captureProgram, captureProgramWithin, formatPackageHint, runProgram } from '../run-program.ts';
import { requireFindable } from '../working-directory.ts';

/** Where Debian and Fedora install runtimes. PATH comes first; for users and cron jobs it may not contain /usr/sbin. */
const standardFolders = ['/usr/bin', '/usr/sbin'];
const knownRuntimes = ['runc', 'crun'];

/** A runtime that is installed and can be run. */
export interface Runtime {
  /** Absolute path. */
  readonly path: string;
  /** Whether `RUNTIME --help` mentions `--systemd-cgroup` (compatibility V-03). */
  readonly supportsSystemdCgroup: boolean;
}

/**
 * Finds the runtime for a new container and tries it: the requested one, else `runtime` of the settings, else
 * `RUNC_PATH` of the environment, else runc, else crun.
 *
 * @param requested path or name of `--runtime`
 * @throws TOOL_MISSING with the words of compatibility N-09
 */
export async function readRuntime(host: Host, requested: string | undefined): Promise<Runtime> {
  const wanted = requested ?? host.settings.runtime ?? (host.env.RUNC_PATH || undefined);
  const path = wanted === undefined ? await findKnownRuntime(host) : await findProgram(host, wanted);
  if (path === undefined) throw buildMissing(wanted ?? '/usr/bin/runc');
  const help = await readHelp(host, [path, '--help']);
  return { path, supportsSystemdCgroup: help.includes('--systemd-cgroup') };
}

/** Whether `RUNTIME run --help` mentions `--pid-file` (compatibility V-03). */
export async function readPidfileSupport(host: Host, runtime: Runtime): Promise<boolean> {
  return (await readHelp(host, [runtime.path, 'run', '--help'])).includes('--pid-file');
}

/**
 * Removes the state that a killed runtime left of a container; it would cause `container with id exists` (compatibility
 * Does nothing when the runtime knows no such container or is no longer installed.
 *
 * @throws COMMAND_FAILED
 */
export async function removeStaleState(host: Host, runtime: string, name: string): Promise<void> {
  if (!(await isExecutable(runtime))) return;
  const state = await captureProgram(host, [runtime, 'state', name]);
  if (state.exitCode === 0) await runProgram(host, [runtime, 'delete', '--force', name]);
}

/** The help of each command: a command that updates many containers asks once. */
const known = new Map<string, string>();

/** Programs print help on either stream, and some exit with an error, so only the text counts. */
async function readHelp(host: Host, argv: readonly string[]): Promise<string> {
  const command = argv.join(' ');
  const help = known.get(command);
  if (help !== undefined) return help;
  const { stdout, stderrTail } = await captureProgram(host, argv);
  known.set(command, stdout + stderrTail);
  return stdout + stderrTail;
}

async function findKnownRuntime(host: Host): Promise<string | undefined> {
  for (const name of knownRuntimes) {
    const path = await findProgram(host, name);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** Finds a program by its path, or by its name in PATH and the standard folders. @returns its absolute path */
export async function findProgram(host: Host, program: string): Promise<string | undefined> {
  if (program.includes('/')) {
    requireFindable(program);
    return (await isExecutable(program)) ? resolve(program) : undefined;
  }
  const folders = (host.env.PATH ?? '').split(':').filter((folder) => folder.startsWith('/'));
  for (const folder of [...folders, ...standardFolders]) {
    const path = `${folder}/${program}`;
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    // The caller reports a program that cannot be run as not installed, for any reason.
    return false;
  }
}

function buildMissing(wanted: string): AtomicError {
  const isKnown = knownRuntimes.includes(basename(wanted));
  return new AtomicError(
    'TOOL_MISSING',
    `Cannot install the container: the runtime ${toPrintable(wanted)} is not installed`,
    {
      hint: isKnown ? formatPackageHint(wanted) : 'Give the path of an OCI runtime, such as /usr/bin/crun.',
      details: { runtime: wanted },
    },
  );
}

/** The answer is a state file; a runtime that waits for a lock answers later. */
const LIMIT_MILLISECONDS = 5000;

/**
 * Asks an OCI runtime for the status of a container.
 *
 * @returns a status of the OCI runtime specification, such as `running` or `stopped`; undefined when the runtime knows no
 *   such container, or does not answer
 */
export async function readContainerStatus(
  host: Host,
  runtime: string,
  name: string,
): Promise<string | undefined> {
  const result = await captureProgramWithin(host, [runtime, 'state', name], LIMIT_MILLISECONDS);
  if (result === 'timeout' || result.exitCode !== 0) return undefined;
  const state = tryParseJson(result.stdout);
  return isJsonObject(state) && typeof state.status === 'string' ? state.status : undefined;
}
