/**
 * Checks that a started service is up: it runs without a restart for the settling time, and its health check succeeds.
 */
import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { captureProgramWithin } from '../../host/run-program.ts';
import { shortenUnit } from '../../host/systemd/systemctl.ts';
import { calculateHealthDeadline, type HealthCheck, type HealthProbe } from '../render/health-check.ts';
import { readLastLines } from '../service/service-log.ts';
import { describeRun, isSameRun, isUp, readRun, type ServiceRun } from '../service/service-run.ts';

type HealthPhase = 'start' | 'settle' | 'health';

export interface HealthRequest {
  readonly name: string;
  /** Absolute path of the OCI runtime. */
  readonly runtime: string;
  /** How long the service must run without a restart, in seconds. */
  readonly settle: number;
  readonly check: HealthCheck | undefined;
}

const POLL_MILLISECONDS = 250;
/** The interval of an image is for months of running; an update checks more often, to end sooner. */
const PROBE_MILLISECONDS = 1000;
const MAX_PROBE_WORDS = 300;

/**
 * Waits until the service is up. `systemctl start` has returned before, so a unit of `Type=notify` is ready.
 *
 * @throws UNIT_FAILED {phase, unit, log} when the service is not up; INTERRUPTED
 */
export async function awaitHealth(host: Host, request: HealthRequest): Promise<void> {
  const first = await readRun(host, request.name);
  if (!isUp(first))
    throw await buildUnhealthy(host, request.name, 'start', `${describeRun(first)}, after its start`);
  await awaitSettled(host, request, first);
  if (request.check !== undefined) await awaitProbe(host, request, request.check, first);
}

function buildUnhealthy(host: Host, name: string, phase: HealthPhase, reason: string): Promise<AtomicError> {
  return buildDown(host, `${name}.service`, { phase, reason, culprit: name });
}

interface DownReason {
  readonly phase: HealthPhase;
  readonly reason: string;
  /** The container of the unit; undefined for a unit that no switched container has. */
  readonly culprit: string | undefined;
}

/** Builds the error for a unit that is not up, with the last lines of its log. @param unit with its type */
export async function buildDown(host: Host, unit: string, down: DownReason): Promise<AtomicError> {
  const log = await readLastLines(host, unit);
  const shown = log.length === 0 ? '' : `; its log ends with: ${log.slice(-3).join(' | ')}`;
  return new AtomicError('UNIT_FAILED', `${unit} is not up: ${down.reason}${shown}`, {
    hint: `See \`journalctl --unit ${shortenUnit(unit)}\`.`,
    details: { ...down, log, unit },
  });
}

async function awaitSettled(host: Host, { name, settle }: HealthRequest, first: ServiceRun): Promise<void> {
  const end = performance.now() + settle * 1000;
  while (performance.now() < end) {
    await sleep(Math.min(POLL_MILLISECONDS, end - performance.now()));
    throwIfInterrupted(host);
    await requireSame(host, name, first, {
      phase: 'settle',
      when: `during the settling time of ${settle} s`,
    });
  }
}

async function awaitProbe(
  host: Host,
  { name, runtime }: HealthRequest,
  check: HealthCheck,
  first: ServiceRun,
): Promise<void> {
  const end = performance.now() + calculateHealthDeadline(check) * 1000;
  for (;;) {
    const failure = await probe(host, check.probe, { name, runtime, timeout: check.timeout });
    throwIfInterrupted(host);
    // A check that ends the service does not count, even if it succeeds.
    await requireSame(host, name, first, { phase: 'health', when: 'during its health check' });
    if (failure === undefined) return;
    if (performance.now() >= end) {
      throw await buildUnhealthy(host, name, 'health', `its health check fails: ${failure}`);
    }
    await sleep(Math.min(PROBE_MILLISECONDS, Math.max(POLL_MILLISECONDS, check.interval * 1000)));
  }
}

/** @throws UNIT_FAILED when the service has failed or was restarted */
async function requireSame(
  host: Host,
  name: string,
  first: ServiceRun,
  { phase, when }: { readonly phase: HealthPhase; readonly when: string },
): Promise<void> {
  const run = await readRun(host, name);
  if (!isUp(run)) throw await buildUnhealthy(host, name, phase, `${describeRun(run)}, ${when}`);
  if (!isSameRun(run, first)) throw await buildUnhealthy(host, name, phase, `it was restarted, ${when}`);
}

interface ProbeContext {
  readonly name: string;
  readonly runtime: string;
  /** Seconds. */
  readonly timeout: number;
}

/** @returns undefined when the service is healthy, otherwise the reason */
async function probe(
  host: Host,
  asked: HealthProbe,
  { name, runtime, timeout }: ProbeContext,
): Promise<string | undefined> {
  const end = AbortSignal.any([host.signal, AbortSignal.timeout(timeout * 1000)]);
  if (asked.kind === 'tcp') return probeTcp(asked.host, asked.port, { end, timeout });
  if (asked.kind === 'http') return probeHttp(asked.url, { end, timeout });
  return probeCommand(host, [runtime, 'exec', name], asked.argv, timeout);
}

/** A signal may end the runtime, for example when the command kills the service. */
async function probeCommand(
  host: Host,
  exec: readonly string[],
  argv: readonly string[],
  timeout: number,
): Promise<string | undefined> {
  const command = toPrintable(argv.join(' '), MAX_PROBE_WORDS);
  try {
    const result = await captureProgramWithin(host, [...exec, ...argv], timeout * 1000);
    if (result === 'timeout') return `${command} took longer than ${timeout} s`;
    if (result.exitCode === 0) return undefined;
    const output = `${result.stdout.trim()} ${result.stderrTail.trim()}`;
    const words = toPrintable(output.trim(), MAX_PROBE_WORDS);
    return `${command} ended with ${result.exitCode}${words === '' ? '' : `: ${words}`}`;
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'COMMAND_FAILED') throw error;
    return `${command}: ${error.message}`;
  }
}

interface ProbeLimit {
  /** Ends the probe: its time is over, or a person does not want to wait. */
  readonly end: AbortSignal;
  /** Seconds. */
  readonly timeout: number;
}

function probeTcp(
  host: string,
  port: number,
  { end: limit, timeout }: ProbeLimit,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (reason?: string): void => {
      socket.destroy();
      resolve(reason === undefined ? undefined : `${host}:${port}: ${reason}`);
    };
    limit.addEventListener('abort', () => end(`no answer within ${timeout} s`), { once: true });
    socket.once('connect', () => end());
    socket.once('error', (error) => end(error.message));
  });
}

/**
 * A redirect counts as an answer of the service; it is not followed, because it could lead to another host. `fetch`
 * would send the request to the proxy of the environment.
 */
function probeHttp(url: string, { end: limit, timeout }: ProbeLimit): Promise<string | undefined> {
  return new Promise((resolve) => {
    const end = (reason?: string): void => resolve(reason === undefined ? undefined : `${url}: ${reason}`);
    const request = get(url, { signal: limit }, ({ statusCode = 0 }) => {
      request.destroy();
      end(statusCode >= 200 && statusCode < 400 ? undefined : `status ${statusCode}`);
    });
    request.once('error', (error) =>
      end(limit.aborted ? `no answer within ${timeout} s` : toPrintable(error.message, MAX_PROBE_WORDS)),
    );
  });
}
