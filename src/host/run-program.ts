/**
 * Child processes. They get no standard input, no terminal, and a process group of their own: Ctrl-C reaches only this
 * program.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { AtomicError } from '../base/errors.ts';
import { explainSystemError, isErrno } from '../base/file-error.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from './host.ts';
import { throwIfInterrupted } from './interruption.ts';
import { spawnChild } from './spawn-child.ts';

/** The time between SIGTERM and SIGKILL. */
const terminationGraceMilliseconds = 5000;

/** Messages contain only the end of standard error: a child may write megabytes. */
const stderrTailBytes = 1024;

/** The packages of programs in Debian and in Fedora. For other programs the hint proposes the name of the program. */
const packages: Readonly<Record<string, readonly [debian: string, fedora: string]>> = {
  runc: ['runc', 'runc'],
  crun: ['crun', 'crun'],
  skopeo: ['skopeo', 'skopeo'],
  systemctl: ['systemd', 'systemd'],
  'systemd-tmpfiles': ['systemd', 'systemd'],
};

const killedHint =
  'Another process or the kernel killed the program; `journalctl -k` shows whether the memory ran out. Repeat the command.';

export const systemctlHint =
  '`journalctl -b _PID=1` and `systemctl status` show the messages of systemd. Remove the cause and repeat the command.';

/** The hint for a program whose failure does not concern an image. */
const programHints: Readonly<Record<string, string>> = { systemctl: systemctlHint };

/** The result of a program that exited. */
export interface ProgramResult {
  readonly argv: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  /** The last 1 KiB of standard error, unchanged. */
  readonly stderrTail: string;
}

/** `exitCode` is undefined when a signal ended the program. */
interface EndedChild extends Omit<ProgramResult, 'exitCode'> {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/**
 * Runs a program and returns its standard output.
 *
 * @param argv the program (looked up in PATH unless it has a slash) and its arguments
 * @throws TOOL_MISSING, INTERRUPTED; COMMAND_FAILED {argv, exitCode, signal, stderrTail} with the child's exit status
 */
export async function runProgram(host: Host, argv: readonly string[]): Promise<string> {
  const result = await captureProgram(host, argv);
  if (result.exitCode !== 0) throw buildCommandFailed(result);
  return result.stdout;
}

/**
 * Like `runProgram`, after a `command` event shows the command as it would be typed (compatibility N-10).
 *
 * @param shown the command in the event
 * @param argv the command that runs; it may have further options that only save time
 */
export async function runVisibly(
  host: Host,
  shown: readonly string[],
  argv: readonly string[] = shown,
): Promise<void> {
  throwIfInterrupted(host);
  host.report({ kind: 'command', argv: shown });
  await runProgram(host, argv);
}

/**
 * Runs a program whose exit status is an answer, not a failure. A signal that ended the program is a failure: the
 * kernel was out of memory, or a person killed it.
 *
 * @throws TOOL_MISSING when it cannot be started, COMMAND_FAILED when a signal ended it, INTERRUPTED
 */
export async function captureProgram(host: Host, argv: readonly string[]): Promise<ProgramResult> {
  return captureWithInput(host, argv, 'ignore');
}

/** Far above what a message shows: an endless output must not fill the memory. */
const BOUNDED_BYTES = 1024 * 1024;
/** For the last output of a program that has ended. */
const OUTPUT_MILLISECONDS = 200;

/**
 * Like `captureProgram`, with a limit on the time and on the output, of which it returns the beginning. It does not wait
 * for a process that the program leaves behind with its output.
 *
 * @returns `timeout` when the program took longer and was ended
 */
export async function captureProgramWithin(
  host: Host,
  argv: readonly string[],
  milliseconds: number,
): Promise<ProgramResult | 'timeout'> {
  const timeout = AbortSignal.timeout(milliseconds);
  const limited = { ...host, signal: AbortSignal.any([host.signal, timeout]) };
  try {
    return await captureWithInput(limited, argv, 'ignore', { isBounded: true });
  } catch (error) {
    if (!timeout.aborted || host.signal.aborted) throw error;
    return 'timeout';
  }
}

/**
 * Like `captureProgram`, with an open descriptor as standard input. The program has a copy of it when this function
 * returns; the caller closes the original.
 */
export async function captureProgramReading(
  host: Host,
  argv: readonly string[],
  input: number,
): Promise<ProgramResult> {
  return captureWithInput(host, argv, input);
}

/**
 * Like `captureProgram`, with a watch on the process while it runs.
 *
 * @param watch gets the process id, and returns a function that is called after the end of the process
 */
export async function captureProgramWatched(
  host: Host,
  argv: readonly string[],
  watch: (pid: number) => () => void,
): Promise<ProgramResult> {
  return captureWithInput(host, argv, 'ignore', { watch });
}

/** Like `captureProgram`, with a text as standard input. */
export async function captureProgramWith(
  host: Host,
  argv: readonly string[],
  text: string,
): Promise<ProgramResult> {
  return captureWithInput(host, argv, { text });
}

interface CaptureOptions {
  readonly watch?: (pid: number) => () => void;
  readonly isBounded?: boolean;
}

async function captureWithInput(
  host: Host,
  argv: readonly string[],
  input: number | 'ignore' | { readonly text: string },
  { watch, isBounded = false }: CaptureOptions = {},
): Promise<ProgramResult> {
  throwIfInterrupted(host);
  const child = spawnChild(argv, {
    env: host.env,
    stdio: [typeof input === 'object' ? 'pipe' : input, 'pipe', 'pipe'],
    detached: true,
  });
  if (typeof input === 'object') sendText(child, input.text);
  const stopWatching = terminateOnAbort(host.signal, child);
  const endWatch = child.pid === undefined ? undefined : watch?.(child.pid);
  const startedAt = performance.now();
  try {
    if (isBounded) releaseOutput(child);
    const ended = await collect(child, argv, isBounded ? BOUNDED_BYTES : Number.POSITIVE_INFINITY);
    host.trace({ ...ended, milliseconds: performance.now() - startedAt });
    throwIfInterrupted(host);
    const { exitCode, stdout, stderrTail } = ended;
    if (exitCode === undefined) throw buildCommandFailed(ended);
    return { argv, exitCode, stdout, stderrTail };
  } finally {
    stopWatching();
    endWatch?.();
  }
}

/** The exit status of a program that ends before it has read its input says more than the broken pipe. */
function sendText(child: ChildProcess, text: string): void {
  child.stdin?.on('error', (error) => {
    if (!isErrno(error, 'EPIPE')) child.emit('error', error);
  });
  child.stdin?.end(text);
}

/** Formats the hint of TOOL_MISSING. @param program name or path of the program */
export function formatPackageHint(program: string): string {
  const name = program.slice(program.lastIndexOf('/') + 1);
  const [debian, fedora] = packages[name] ?? [name, name];
  return `Install it: apt install ${debian} (Debian), dnf install ${fedora} (Fedora).`;
}

/** Builds the error of a program. @param ended a program with an unwanted exit status, or one that a signal ended */
export function buildCommandFailed(ended: ProgramResult | EndedChild): AtomicError {
  const { argv, exitCode } = ended;
  const signal = 'signal' in ended ? ended.signal : undefined;
  const stderrTail = toPrintable(ended.stderrTail.trim());
  const outcome = exitCode === undefined ? `ended by ${signal}` : `exit status ${exitCode}`;
  const reason = stderrTail === '' ? outcome : `${outcome}: ${stderrTail}`;
  const hint = signal === undefined ? programHints[argv[0] ?? ''] : killedHint;
  return new AtomicError('COMMAND_FAILED', `${toPrintable(argv.join(' '))}: ${reason}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { argv, exitCode, signal, stderrTail },
    exitStatus: exitCode ?? 128 + (signal === undefined ? 0 : constants.signals[signal]),
  });
}

/** Otherwise a child would count as running until no process has its pipes. */
function releaseOutput(child: ChildProcess): void {
  child.once('exit', () => {
    setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, OUTPUT_MILLISECONDS);
  });
}

function collect(child: ChildProcess, argv: readonly string[], maxBytes: number): Promise<EndedChild> {
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = [];
    let length = 0;
    let tail: Buffer = Buffer.alloc(0);
    child.stdout?.on('data', (chunk: Buffer) => {
      const kept = chunk.subarray(0, Math.max(0, maxBytes - length));
      length += kept.length;
      if (kept.length > 0) stdout.push(kept);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      tail = Buffer.concat([tail, chunk]).subarray(-stderrTailBytes);
    });
    child.on('error', (error) => reject(buildStartError(error, argv)));
    child.on('close', (exitCode, signal) =>
      resolve({
        argv,
        exitCode: exitCode ?? undefined,
        signal: signal ?? undefined,
        stdout: Buffer.concat(stdout).toString(),
        stderrTail: tail.toString(),
      }),
    );
  });
}

export function buildStartError(error: Error, argv: readonly string[]): AtomicError {
  const program = argv[0] ?? '';
  const missing = isErrno(error, 'ENOENT');
  const { reason, hint } = missing
    ? { reason: 'the program is not installed', hint: formatPackageHint(program) }
    : explainSystemError(error);
  return new AtomicError('TOOL_MISSING', `run ${toPrintable(program)}: ${reason}`, {
    hint: hint ?? `Look at \`namei -l ${toPrintable(program)}\`, or install the program again.`,
    cause: error,
  });
}

/** @returns a function that removes the listener; the caller calls it after the end of the child */
function terminateOnAbort(signal: AbortSignal, child: ChildProcess): () => void {
  let killer: ReturnType<typeof setTimeout> | undefined;
  const terminate = () => {
    child.kill('SIGTERM');
    killer = setTimeout(() => child.kill('SIGKILL'), terminationGraceMilliseconds);
  };
  signal.addEventListener('abort', terminate, { once: true });
  return () => {
    signal.removeEventListener('abort', terminate);
    clearTimeout(killer);
  };
}
