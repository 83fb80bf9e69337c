/**
 * Starts children that end with this program, also when it is killed: a child that continued would work without the
 * locks, which end with this program. The kernel kills a child that has set `PR_SET_PDEATHSIG`: setpriv(1) sets it and
 * executes the program. The signal is sent when the thread that started the child ends: that is the main thread, which
 * ends last.
 *
 * When setpriv is missing or older than util-linux 2.33, children are started without it.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { findErrno } from '../base/file-error.ts';

const OPTION = 'pdeathsig';

/** Path of setpriv -> whether it has the option. */
const known = new Map<string, boolean>();

/** Starts a child. @param argv the program (looked up in the PATH of `options.env` unless it has a slash), arguments */
export function spawnChild(
  argv: readonly string[],
  options: SpawnOptions & { readonly env: NodeJS.ProcessEnv },
): ChildProcess {
  const [program = '', ...rest] = argv;
  const setpriv = findProgram('setpriv', options.env);
  // A missing program must fail with its own error, not with that of setpriv.
  const isBound =
    setpriv !== undefined && knowsOption(setpriv) && findProgram(program, options.env) !== undefined;
  return isBound
    ? spawn(setpriv, [`--${OPTION}`, 'KILL', program, ...rest], options)
    : spawn(program, rest, options);
}

/** Searches the file for the option: running `setpriv --help` would take as long as the program itself. */
function knowsOption(setpriv: string): boolean {
  const isKnown = known.get(setpriv) ?? readFileSync(setpriv).includes(OPTION);
  known.set(setpriv, isKnown);
  return isKnown;
}

function findProgram(program: string, { PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  const paths = program.includes('/') ? [program] : PATH.split(':').map((folder) => `${folder}/${program}`);
  return paths.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (findErrno(error) === undefined) throw error;
    return false;
  }
}
