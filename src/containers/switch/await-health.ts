/** Whether a service that was started is up: it runs, stays as it is for a while, and answers its health check. */
import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { captureProgram, captureProgramWithin } from '../../host/run-program.ts';
import { showProperties } from '../../host/systemd/systemctl.ts';
import { calculateHealthDeadline, type HealthCheck, type HealthProbe } from '../render/health-check.ts';

export type HealthPhase = 'start' | 'settle' | 'health';

export interface HealthRequest {
  readonly name: string;
  /** Absolute path of the OCI runtime. */
  readonly runtime: string;
  /** How long the service must stay as it is, in seconds. */
  readonly settle: number;
  readonly check: HealthCheck | undefined;
}

/** What systemd knows of one run of a service. */
interface ServiceRun {
  readonly activeState: string;
  readonly subState: string;
  readonly result: string;
  readonly restarts: string;
  readonly mainPid: string;
  readonly invocation: string;
}

const POLL_MILLISECONDS = 250;
/** A health check may run at its own pace for months; an update asks more often, and is done sooner. */
const PROBE_MILLISECONDS = 1000;
const MAX_LOG_LINES = 10;
const MAX_PROBE_WORDS = 300;

/**
 * Waits until the service is up. `systemctl start` has returned before, so a unit of `Type=notify` has said that it is
 * ready.
 *
 * @throws UNIT_FAILED {phase, log} when it is not up; INTERRUPTED
 */
export async function awaitHealth(host: Host, request: HealthRequest): Promise<void> {
  const first = await readRun(host, request.name);
  if (!isUp(first)) throw await buildUnhealthy(host, request.name, 'start', describeRun(first));
  await awaitSettled(host, request, first);
  if (request.check !== undefined) await awaitProbe(host, request, request.check, first);
}

/** The error for a service that is not up, with the last lines of its log. */
export async function buildUnhealthy(
  host: Host,
  name: string,
  phase: HealthPhase,
  reason: string,
): Promise<AtomicError> {
  const log = await readLog(host, name);
  const shown = log.length === 0 ? '' : `; its log ends with: ${log.slice(-3).join(' | ')}`;
  return new AtomicError('UNIT_FAILED', `${name}.service is not up: ${reason}${shown}`, {
    hint: `See \`journalctl --unit ${name}\`.`,
    details: { phase, reason, log },
  });
}

async function awaitSettled(host: Host, { name, settle }: HealthRequest, first: ServiceRun): Promise<void> {
  const end = performance.now() + settle * 1000;
  while (performance.now() < end) {
    await sleep(Math.min(POLL_MILLISECONDS, end - performance.now()));
    throwIfInterrupted(host);
    await requireSame(host, name, first, 'settle');
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
    if (failure === undefined) return;
    throwIfInterrupted(host);
    await requireSame(host, name, first, 'health');
    if (performance.now() >= end) {
      throw await buildUnhealthy(host, name, 'health', `its health check fails: ${failure}`);
    }
    await sleep(Math.min(PROBE_MILLISECONDS, check.interval * 1000));
  }
}

/** @throws UNIT_FAILED when the service has failed, or is another run than the first */
async function requireSame(host: Host, name: string, first: ServiceRun, phase: HealthPhase): Promise<void> {
  const run = await readRun(host, name);
  if (!isUp(run)) throw await buildUnhealthy(host, name, phase, describeRun(run));
  const isSame =
    run.restarts === first.restarts && run.mainPid === first.mainPid && run.invocation === first.invocation;
  if (!isSame) throw await buildUnhealthy(host, name, phase, 'it was restarted');
}

/** A unit of `Type=oneshot` that has done its work is up, too. */
function isUp({ activeState, subState, result }: ServiceRun): boolean {
  if (activeState === 'active' || activeState === 'reloading') return true;
  return activeState === 'inactive' && subState === 'dead' && result === 'success';
}

function describeRun({ activeState, subState, result }: ServiceRun): string {
  const words = result === 'success' || result === '' ? '' : `, ${result}`;
  return `it is ${activeState} (${subState}${words})`;
}

async function readRun(host: Host, name: string): Promise<ServiceRun> {
  const properties = ['ActiveState', 'SubState', 'Result', 'NRestarts', 'MainPID', 'InvocationID'];
  const [block] = await showProperties(host, properties, [`${name}.service`]);
  const read = (property: string) => block?.get(property) ?? '';
  return {
    activeState: read('ActiveState'),
    subState: read('SubState'),
    result: read('Result'),
    restarts: read('NRestarts'),
    mainPid: read('MainPID'),
    invocation: read('InvocationID'),
  };
}

interface ProbeContext {
  readonly name: string;
  readonly runtime: string;
  /** Seconds. */
  readonly timeout: number;
}

/** @returns undefined when the service is healthy, else why it is not */
async function probe(
  host: Host,
  asked: HealthProbe,
  { name, runtime, timeout }: ProbeContext,
): Promise<string | undefined> {
  if (asked.kind === 'tcp') return probeTcp(asked.host, asked.port, timeout);
  if (asked.kind === 'http') return probeHttp(asked.url, timeout);
  const result = await captureProgramWithin(host, [runtime, 'exec', name, ...asked.argv], timeout * 1000);
  if (result === 'timeout') return `${toPrintable(asked.argv.join(' '))} took longer than ${timeout} s`;
  if (result.exitCode === 0) return undefined;
  const words = toPrintable(`${result.stdout} ${result.stderrTail}`.trim(), MAX_PROBE_WORDS);
  return `${toPrintable(asked.argv.join(' '), MAX_PROBE_WORDS)} ended with ${result.exitCode}${words === '' ? '' : `: ${words}`}`;
}

function probeTcp(host: string, port: number, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (reason?: string): void => {
      socket.destroy();
      resolve(reason === undefined ? undefined : `${host}:${port}: ${reason}`);
    };
    socket.setTimeout(timeout * 1000, () => end(`no answer within ${timeout} s`));
    socket.once('connect', () => end());
    socket.once('error', (error) => end(error.message));
  });
}

/**
 * A redirect is an answer of the service itself, and is not followed to another host. `fetch` would send the request to the
 * proxy of the environment.
 */
function probeHttp(url: string, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const end = (reason?: string): void => resolve(reason === undefined ? undefined : `${url}: ${reason}`);
    const request = get(url, { signal: AbortSignal.timeout(timeout * 1000) }, ({ statusCode = 0 }) => {
      request.destroy();
      end(statusCode >= 200 && statusCode < 400 ? undefined : `status ${statusCode}`);
    });
    request.once('error', (error) => end(toPrintable(error.message, MAX_PROBE_WORDS)));
  });
}

/**
 * The last lines of this run of the service; none where the journal cannot be read. What systemd says of the service counts when
 * the service itself has said nothing: a stop that ends in kills is a line for each process.
 */
async function readLog(host: Host, name: string): Promise<readonly string[]> {
  const { invocation } = await readRun(host, name);
  if (invocation === '') return [];
  const own = await readJournal(host, `_SYSTEMD_INVOCATION_ID=${invocation}`);
  return own.length > 0 ? own : readJournal(host, `INVOCATION_ID=${invocation}`);
}

async function readJournal(host: Host, match: string): Promise<readonly string[]> {
  const argv = ['journalctl', '--quiet', '--no-pager', '--boot', '--output=cat', `--lines=${MAX_LOG_LINES}`];
  const result = await captureProgram(host, [...argv, match]).catch((error: unknown) => {
    // The log is help for a person. That it cannot be read must not hide that the service is not up.
    if (error instanceof AtomicError && error.code !== 'INTERRUPTED') return undefined;
    throw error;
  });
  if (result?.exitCode !== 0) return [];
  return result.stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => toPrintable(line, MAX_PROBE_WORDS));
}
