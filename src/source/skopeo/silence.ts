/** Time limits for a registry that keeps a connection open and sends nothing. */
import { type ReadStream, readFileSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { readProcess } from '../../host/mounts/processes.ts';
import { captureProgramWatched, type ProgramResult } from '../../host/run-program.ts';
import type { SilenceLimits } from '../../image/image.ts';

/**
 * Limits in milliseconds. The one for an answer is longer, because skopeo itself waits: up to five minutes for a registry
 * that answers 429, half a minute for each mirror that does not answer.
 */
const DEFAULT_LIMITS: SilenceLimits = { answer: 360_000, bytes: 120_000 };
/** Longest time that one poll adds: a poll may be late because this program was busy or stopped. */
const LONGEST_STEP_MILLISECONDS = 1000;

export class Silence {
  readonly #limits: SilenceLimits;
  #lasted = 0;
  #lookedAt = performance.now();
  #pipe: ReadStream | undefined;
  #bytesRead = 0;

  constructor(limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Sets the pipe through which bytes arrive from now on. */
  watch(pipe: ReadStream): void {
    this.#pipe = pipe;
    this.#bytesRead = 0;
  }

  /** Restarts the time: data has arrived, or a request was sent. */
  end(): void {
    this.#lasted = 0;
    this.#lookedAt = performance.now();
  }

  /**
   * Checks the limit. Called often while nothing arrives.
   *
   * @throws AtomicError REGISTRY_UNREACHABLE, transient, when the limit is exceeded
   */
  check(awaited: keyof SilenceLimits): void {
    if (awaited === 'bytes') this.#listen();
    const now = performance.now();
    this.#lasted += Math.min(now - this.#lookedAt, LONGEST_STEP_MILLISECONDS);
    this.#lookedAt = now;
    const limit = this.#limits[awaited];
    if (this.#lasted < limit) return;
    throw buildSilenceError(limit);
  }

  /** Unread bytes in the pipe do not count as silence: the disk is then slower than the registry. */
  #listen(): void {
    const pipe = this.#pipe;
    if (pipe === undefined) return;
    const isWaiting = pipe.readableFlowing === null || pipe.readableLength > 0 || pipe.isPaused();
    if (isWaiting || pipe.bytesRead !== this.#bytesRead) this.end();
    this.#bytesRead = pipe.bytesRead;
  }
}

/**
 * Runs an action that ends with one answer of a registry, and interrupts it when the answer takes too long.
 *
 * @throws AtomicError REGISTRY_UNREACHABLE, transient
 */
export async function limitSilence<T>(
  host: Host,
  limits: SilenceLimits = DEFAULT_LIMITS,
  action: (host: Host) => Promise<T>,
): Promise<T> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(buildSilenceError(limits.answer)), limits.answer);
  try {
    return await action({ ...host, signal: AbortSignal.any([host.signal, silence.signal]) });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs a program that copies blobs between a registry and the disk. Interrupts it when it neither reads nor writes a byte
 * for the time limit of an answer.
 *
 * @throws as `captureProgram`; AtomicError REGISTRY_UNREACHABLE, transient
 */
export async function captureTransfer(
  host: Host,
  argv: readonly string[],
  { answer }: SilenceLimits = DEFAULT_LIMITS,
): Promise<ProgramResult> {
  const silence = new AbortController();
  const limited = { ...host, signal: AbortSignal.any([host.signal, silence.signal]) };
  return captureProgramWatched(limited, argv, (pid) =>
    watchTransfer(pid, answer, () => silence.abort(buildSilenceError(answer))),
  );
}

/** @returns a function that stops watching */
function watchTransfer(pid: number, limit: number, onSilence: () => void): () => void {
  const step = Math.min(LONGEST_STEP_MILLISECONDS, limit / 5);
  let lasted = 0;
  let seen = countBytes(pid);
  const timer = setInterval(() => {
    const now = countBytes(pid);
    lasted = now === seen ? lasted + step : 0;
    seen = now;
    if (lasted >= limit) onSilence();
  }, step);
  return () => clearInterval(timer);
}

/**
 * Counts the bytes that a process has read and written through any descriptor (`rchar` and `wchar` of proc(5)).
 *
 * @returns NaN, which differs from every value, where the kernel does not count them
 */
function countBytes(pid: number): number {
  const io = readProcess(() => readFileSync(`/proc/${pid}/io`, 'utf8')) ?? '';
  const [read, written] = ['rchar', 'wchar'].map((name) => new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1]);
  return Number(read) + Number(written);
}

function buildSilenceError(limit: number): AtomicError {
  return new AtomicError('REGISTRY_UNREACHABLE', `the registry has sent nothing for ${limit / 1000} s`, {
    hint: 'Check the registry and the network; then repeat the command, complete layers are kept.',
    isTransient: true,
  });
}
