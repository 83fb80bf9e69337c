/** Runs the program that users get: the built executable, never the sources. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface AtomicRun {
  readonly args: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  /** The exit status; 128 + N when signal N ended it, as a shell says it. */
  readonly status: number;
}

export interface AtomicOptions {
  /** Variables over those of the test; `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Sends SIGTERM (or `killSignal`) when it is aborted. */
  readonly signal?: AbortSignal;
  readonly killSignal?: NodeJS.Signals;
  /** Default: `/usr/bin/atomic` inside a disposable host, else `dist/atomic`. */
  readonly program?: string;
}

const INSTALLED = '/usr/bin/atomic';
/** Written by systemd as the first process of a container, which the disposable host is. */
const CONTAINER_MARK = '/run/systemd/container';
const BUILT = fileURLToPath(new URL('../../dist/atomic', import.meta.url));

/**
 * Runs `atomic ARGS` and returns its output, with any status.
 *
 * @throws Error when a document for programs is not as docs/schemas says
 */
export async function runAtomic(args: readonly string[], options: AtomicOptions = {}): Promise<AtomicRun> {
  const program =
    options.program ?? (existsSync(CONTAINER_MARK) && existsSync(INSTALLED) ? INSTALLED : BUILT);
  const child = spawn(program, args, {
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  options.signal?.addEventListener('abort', () => child.kill(options.killSignal ?? 'SIGTERM'), {
    once: true,
  });
  // A program that does not read its input may end before it is written.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal }));
  });
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const status = end.status ?? 128 + (end.signal === null ? 0 : constants.signals[end.signal]);
  const run = { args, stdout, stderr, status };
  // A killed program may not have printed its document.
  if (end.signal === null && isJson(args)) await (await import('./schemas.ts')).requireJsonRun(run);
  return run;
}

/** The schemas are loaded for these runs only. */
function isJson(args: readonly string[]): boolean {
  return args.includes('--json') || args.includes('inspect');
}

/**
 * Runs `atomic ARGS` and returns its standard output.
 *
 * @throws Error with the command and everything it printed, when the status is not 0
 */
export async function atomic(args: readonly string[], options: AtomicOptions = {}): Promise<string> {
  const run = await runAtomic(args, options);
  if (run.status !== 0) throw new Error(`expected success of\n${describeRun(run)}`);
  return run.stdout;
}

/**
 * Runs `atomic ARGS`, which must fail with `status` and nothing on standard output, and returns standard error.
 *
 * @throws Error with the command and everything it printed, when it ends otherwise
 */
export async function failingAtomic(
  status: number,
  args: readonly string[],
  options: AtomicOptions = {},
): Promise<string> {
  const run = await runAtomic(args, options);
  if (run.status !== status) throw new Error(`expected status ${status} of\n${describeRun(run)}`);
  if (run.stdout !== '') throw new Error(`expected nothing on standard output of\n${describeRun(run)}`);
  return run.stderr;
}

/** The run as a person would see it in a terminal, with its status. */
export function describeRun({ args, stdout, stderr, status }: AtomicRun): string {
  return `# atomic ${args.join(' ')}\n${stdout}${stderr}(status ${status})`;
}
