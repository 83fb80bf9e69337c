/** Programs of the host, run as an administrator runs them. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';

export interface CommandRun {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit status; 128 + N when signal N ended it. */
  readonly status: number;
}

/** Runs a program without input and returns its output, with any status. */
export async function runCommand(argv: readonly string[]): Promise<CommandRun> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) =>
      resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}

/**
 * Runs a program and returns its standard output.
 *
 * @throws Error with everything it printed, when the status is not 0
 */
export async function command(...argv: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await runCommand(argv);
  if (status !== 0) throw new Error(`# ${argv.join(' ')}\n${stdout}${stderr}(status ${status})`);
  return stdout;
}

const LIMIT_MS = 30_000;
const PAUSE_MS = 50;

/**
 * Asks again and again until there is an answer.
 *
 * @param what for the message: `flannel reports its network`
 * @throws Error after 30 seconds, with the last failure of `check`
 */
export async function waitUntil(what: string, check: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  let failure: unknown;
  while (performance.now() < limit) {
    try {
      if (await check()) return;
    } catch (error) {
      failure = error;
    }
    await Bun.sleep(PAUSE_MS);
  }
  throw new Error(`waited ${LIMIT_MS / 1000} seconds until ${what}`, { cause: failure });
}
