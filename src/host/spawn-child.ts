/**
 * Starts children that end with this program, also when it is killed: what a child goes on doing afterwards would be
 * beside the locks, which have ended. The kernel does that for a process that asks for it (`PR_SET_PDEATHSIG`), so
 * setpriv(1) asks and becomes the program. The kernel means the thread that started the child: that is the main one, which
 * ends last.
 *
 * Where setpriv is missing or older than util-linux 2.33, children are started without it.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { findErrno } from '../base/file-error.ts';

const OPTION = 'pdeathsig';

/** Paths of setpriv, and whether it knows the option. */
const known = new Map<string, boolean>();

/** @param argv the program (found in the PATH of `options.env` unless it holds a slash) and its arguments */
export function spawnChild(
  argv: readonly string[],
  options: SpawnOptions & { readonly env: NodeJS.ProcessEnv },
): ChildProcess {
  const [program = '', ...rest] = argv;
  const setpriv = findProgram('setpriv', options.env);
  // A program that is missing must fail as that, and not as a failure of setpriv.
  const isBound =
    setpriv !== undefined && knowsOption(setpriv) && findProgram(program, options.env) !== undefined;
  return isBound
    ? spawn(setpriv, [`--${OPTION}`, 'KILL', program, ...rest], options)
    : spawn(program, rest, options);
}

/** Asking it would take as long as the program that is wanted. */
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
