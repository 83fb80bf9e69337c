import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError, addHint } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { withReminders } from '../../host/reminders.ts';
import { captureProgram } from '../../host/run-program.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { withRecoveredContainers } from '../recovery/recover.ts';
import { readLastLines } from '../service/service-log.ts';
import { describeRun, isSameRun, isUp, readRuns, type ServiceRun } from '../service/service-run.ts';
import { withRuntimeWatch } from '../service/watch-runtime.ts';
import { parseNames, requireServices } from './require-services.ts';

/** How long a started service must run, in seconds. Most services that cannot work end within the first one. */
const defaultSettle = 2;

const POLL_MILLISECONDS = 250;

interface FailedStart {
  readonly name: string;
  readonly reason: string;
}

/**
 * Starts or restarts the services of containers, and waits until they have run for a while: systemd calls a service
 * started as soon as its process exists. Services that do not stay up are reported with the end of their logs.
 *
 * @param settle how long a service must run without a restart, in seconds
 * @returns the services that ran before; they are left alone by a start
 * @throws NOT_ROOT, NO_SYSTEMD; UNIT_FAILED {failed} when one of them is not up; as `requireServices`
 */
export async function startServices(
  host: Host,
  verb: 'start' | 'restart',
  written: readonly string[],
  settle = defaultSettle,
): Promise<readonly string[]> {
  const names = parseNames(written);
  await requireSystemAccess(host, verb);
  return withRecoveredContainers(host, names, verb, async () => {
    await requireServices(host, verb, names);
    const before = await readRuns(host, names);
    const running = names.filter((_, index) => before[index]?.activeState === 'active');
    const asked = verb === 'restart' ? names : names.filter((name) => !running.includes(name));
    if (asked.length > 0) await bringUp(host, verb, asked, settle);
    return running;
  });
}

async function bringUp(
  host: Host,
  verb: 'start' | 'restart',
  names: readonly string[],
  settle: number,
): Promise<void> {
  const units = names.map((name) => `${name}.service`);
  host.report({ kind: 'command', argv: ['systemctl', verb, ...names] });
  // This start must not count for the start limits of the units.
  await captureProgram(host, ['systemctl', 'reset-failed', ...units]);
  const { result, ended } = await withRuntimeWatch(host, units, () =>
    withReminders(
      host,
      (seconds) => `${names.join(', ')} not started after ${seconds} s; see \`systemctl list-jobs\``,
      () => captureProgram(host, ['systemctl', verb, ...units]),
    ),
  );
  const failures = (await awaitSettled(host, names, settle)).map((failure) =>
    ended.includes(`${failure.name}.service`)
      ? { ...failure, reason: 'its container ended before it was ready' }
      : failure,
  );
  const logs = new Map<string, readonly string[]>();
  for (const { name } of failures) logs.set(name, await reportLog(host, name));
  const [failure] = failures;
  if (failure !== undefined) {
    const error = buildNotUp(verb, names, failures, failure);
    const hint = explainLog(failure.name, logs.get(failure.name) ?? []);
    throw hint === undefined ? error : addHint(error, hint);
  }
  // Another unit, which one of them needs, has failed.
  if (result.exitCode === 0) return;
  throw new AtomicError(
    'UNIT_FAILED',
    `${verb} ${names.join(', ')}: ${toPrintable(result.stderrTail.trim())}`,
    {
      hint: 'See `systemctl --failed`.',
    },
  );
}

/** @returns the services that are not up, or were restarted meanwhile */
async function awaitSettled(
  host: Host,
  names: readonly string[],
  settle: number,
): Promise<readonly FailedStart[]> {
  const end = performance.now() + settle * 1000;
  const first = await readRuns(host, names);
  const failures: FailedStart[] = [];
  for (let runs = first; ; runs = await readRuns(host, names)) {
    for (const [index, name] of names.entries()) {
      const reason = findFault(runs[index], first[index]);
      if (reason === undefined || failures.some((failure) => failure.name === name)) continue;
      failures.push({ name, reason });
    }
    const rest = end - performance.now();
    if (failures.length === names.length || rest <= 0) return failures;
    await sleep(Math.min(POLL_MILLISECONDS, rest));
    throwIfInterrupted(host);
  }
}

function findFault(run: ServiceRun | undefined, first: ServiceRun | undefined): string | undefined {
  if (run === undefined || first === undefined) throw new Error('a service without an answer');
  if (!isUp(run)) return describeRun(run);
  return isSameRun(run, first) ? undefined : 'it ended and was started again';
}

/** @returns the lines */
async function reportLog(host: Host, name: string): Promise<readonly string[]> {
  // The journal may not have read the last lines of a service that has just ended.
  await captureProgram(host, ['journalctl', '--sync']);
  const lines = await readLastLines(host, `${name}.service`);
  for (const line of lines) host.report({ kind: 'remark', text: `${name}: ${line}` });
  return lines;
}

/** What a service may not be able to do here, although it can elsewhere. */
function explainLog(name: string, lines: readonly string[]): string | undefined {
  const says = (words: RegExp) => lines.some((line) => words.test(line));
  if (says(/read-only file system/i)) {
    return `The root filesystem of a container is read-only. A folder in memory: atomic containers update ${name} --tmpfs PATH; one that lasts: --volume SOURCE:PATH.`;
  }
  // crun passes on the descriptors of systemd; runc makes pipes.
  if (says(/no such device or address/i)) {
    return 'With crun, /dev/stdout and /dev/stderr are sockets of the journal, which a program cannot open: install the image with --runtime runc.';
  }
  return undefined;
}

function buildNotUp(
  verb: string,
  names: readonly string[],
  failures: readonly FailedStart[],
  { name, reason }: FailedStart,
): AtomicError {
  const all = failures.map((failure) => `${failure.name}.service is not up: ${failure.reason}`).join('; ');
  const others = names.filter((other) => !failures.some((failure) => failure.name === other));
  const rest = others.length === 0 ? '' : `; up: ${others.join(', ')}`;
  return new AtomicError('UNIT_FAILED', `${verb === 'start' ? 'starting' : 'restarting'} ${all}${rest}`, {
    hint: `The whole log: atomic logs ${name}`,
    details: { failed: failures, up: others, culprit: name, reason },
  });
}
