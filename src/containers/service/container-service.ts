/** Stops, starts and disables the service of a container. */
import { AtomicError, rewordError } from '../../base/errors.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { buildCommandFailed, captureProgram, runProgram } from '../../host/run-program.ts';
import { findStartLimit } from '../../host/systemd/start-limit.ts';
import { sortByOrder } from '../../host/systemd/start-order.ts';
import {
  buildDisableNowCommand,
  reloadCommand,
  shortenUnit,
  withoutReload,
} from '../../host/systemd/systemctl.ts';
import { UnitJobs } from '../../host/systemd/unit-jobs.ts';
import { isActive, readUnitStates } from '../../host/systemd/unit-state.ts';
import { buildContainerPaths, listUnitsOf, type UnitFile } from '../deployment.ts';
import { withStopNotice } from './stop-notice.ts';
import { type WatchedRun, withRuntimeWatch } from './watch-runtime.ts';

/**
 * Stops the service and leaves it enabled, so that a start undoes everything. It prints the command of the original
 * (compatibility U-03); `disableService` does the second half of that command.
 *
 * @throws UNIT_FAILED when the service still runs, or was started again meanwhile
 */
export async function stopService(host: Host, name: string): Promise<void> {
  if (!(await isOwnService(host, name))) return;
  throwIfInterrupted(host);
  const known = [...(await readUnitStates(host, listUnitsOf(name)))]
    .filter(([, state]) => state.loadState !== 'not-found' || isActive(state))
    .map(([unit]) => unit);
  host.report({ kind: 'command', argv: buildDisableNowCommand(known.length === 0 ? [name] : known) });
  if (known.length === 0) return;
  using jobs = new UnitJobs(host);
  await endUnits(host, jobs, known);
}

/**
 * Stops the units of containers, in the order that systemd chooses. Those that do not run stay as they are.
 *
 * @param units with their types
 * @returns those that ran
 * @throws as `stopService`
 */
export async function stopUnits(
  host: Host,
  jobs: UnitJobs,
  units: readonly string[],
): Promise<readonly string[]> {
  if (units.length === 0) return [];
  const running = await jobs.listActive(units);
  if (running.length === 0) return [];
  host.report({ kind: 'command', argv: ['systemctl', 'stop', ...running.map(shortenUnit)] });
  await endUnits(host, jobs, running);
  return running;
}

/** A start of units for which everything is done that may be done before they are stopped. */
interface ReadyStart {
  /** With their types, in the order in which they are requested. */
  readonly units: readonly string[];
  /**
   * Whether the host has not booted so far that services start. `atomic-recover.service` runs then, and the boot waits for it:
   * it must not wait for a service.
   */
  readonly isBooting: boolean;
}

/** Prepares the start of units, which may still run. @param units with their types */
export async function readyStart(host: Host, jobs: UnitJobs, units: readonly string[]): Promise<ReadyStart> {
  if (units.length === 0) return { units, isBooting: false };
  const [booted, ordered] = await Promise.all([
    jobs.listActive(['basic.target']),
    sortByOrder(host, units),
    // These starts must not count for the start limits of the units.
    jobs.resetFailed(units),
  ]);
  return { units: ordered, isBooting: booted.length === 0 };
}

/**
 * Starts the units that ran before an update or a rollback, in the order that systemd chooses.
 *
 * @throws COMMAND_FAILED when one of them does not start
 */
export async function startUnits(host: Host, jobs: UnitJobs, start: ReadyStart): Promise<void> {
  const failure = await runStart(host, jobs, start);
  if (failure !== undefined) throw failure;
}

/**
 * Starts units that do not run, as `startUnits`. One that still starts when the time is over may have done so before too:
 * it is reported. @param units with their types
 */
export async function startStopped(host: Host, units: readonly string[]): Promise<void> {
  if (units.length === 0) return;
  using jobs = new UnitJobs(host);
  const failure = await runStart(host, jobs, await readyStart(host, jobs, units));
  if (failure === undefined) return;
  if (failure.details?.isLate !== true) throw failure;
  host.report({ kind: 'warning', text: failure.message });
}

/** systemctl only says which signal ended a runtime. Its advice follows in the hint of the error. */
function describeStart({
  result: failure,
  ended,
}: WatchedRun<AtomicError | undefined>): AtomicError | undefined {
  if (failure === undefined) return undefined;
  const reason = ended.map((unit) => `the container of ${unit} ended before it was ready`).join(', ');
  const message = reason || failure.message.replaceAll(/ ?\bSee "systemctl .*? for details\./g, '');
  return rewordError(failure, message, failure.hint);
}

/** @returns the error when one of them does not start */
async function runStart(
  host: Host,
  jobs: UnitJobs,
  { units, isBooting }: ReadyStart,
): Promise<AtomicError | undefined> {
  if (units.length === 0) return undefined;
  host.report({
    kind: 'command',
    argv: ['systemctl', 'start', ...units.map(shortenUnit)],
  });
  if (isBooting) {
    const result = await captureProgram(host, ['systemctl', 'start', '--no-block', ...units]);
    return result.exitCode === 0 ? undefined : buildCommandFailed(result);
  }
  const describeWait = (seconds: number) =>
    `${units.join(', ')} not started after ${seconds} s; see \`systemctl list-jobs\``;
  const findLimit = () => findStartLimit(host, units);
  const start = () => jobs.run('start', units, describeWait, findLimit);
  return describeStart(await withRuntimeWatch(host, units, start));
}

async function endUnits(host: Host, jobs: UnitJobs, units: readonly string[]): Promise<void> {
  const failure = (await runStop(host, jobs, units))?.message;
  const [unit] = await jobs.listActive(units);
  if (unit !== undefined) {
    const reason = failure ?? 'it was started again meanwhile';
    throw new AtomicError('UNIT_FAILED', `stop ${unit}: ${reason}`, {
      hint: `Look at \`systemctl status ${shortenUnit(unit)}\` for the reason, and repeat the command.`,
    });
  }
  if (failure !== undefined) host.report({ kind: 'warning', text: failure });
}

/**
 * Stops a unit again after the removal of its file, because a person may have started it after `stopService`.
 *
 * @throws COMMAND_FAILED
 */
export async function stopOrphan(host: Host, unit: string): Promise<void> {
  host.report({ kind: 'command', argv: ['systemctl', 'stop', shortenUnit(unit)] });
  using jobs = new UnitJobs(host);
  const failure = await runStop(host, jobs, [unit]);
  if (failure !== undefined) throw failure;
}

/** @returns the error when one of them does not stop */
async function runStop(
  host: Host,
  jobs: UnitJobs,
  units: readonly string[],
): Promise<AtomicError | undefined> {
  const describeWait = (seconds: number) =>
    `${units.join(', ')} ${units.length === 1 ? 'has' : 'have'} not stopped after ${seconds} s; systemd kills it when its stop timeout is over, \`systemctl kill --signal=KILL ${units.map(shortenUnit).join(' ')}\` does now`;
  const stop = () => withStopNotice(host, units, () => jobs.run('stop', units, describeWait));
  return (await withRuntimeWatch(host, units, stop)).result;
}

/**
 * Starts the service that `stopService` has stopped, and the units that systemd stopped with it. Reports a failure.
 *
 * @param running the units that ran before, with their types
 */
export async function startServiceAgain(host: Host, name: string, running: readonly string[]): Promise<void> {
  if (!(await isOwnService(host, name))) return;
  using jobs = new UnitJobs(host);
  const start = await readyStart(host, jobs, [...new Set([`${name}.service`, ...running])]);
  const failure = await runStart(host, jobs, start);
  if (failure !== undefined) host.report({ kind: 'warning', text: failure.message });
}

/**
 * Removes the symlinks that enable the units of a container, also those to a removed unit. Reports a failure that leaves
 * none.
 *
 * @throws COMMAND_FAILED when a unit is still enabled: a later unit of its name would start at the next boot
 */
export async function disableService(host: Host, name: string): Promise<void> {
  if (!(await isOwnService(host, name))) return;
  for (const file of buildContainerPaths(host.locations, name).units) await disableUnit(host, file);
}

async function disableUnit(host: Host, { unit, path }: UnitFile): Promise<void> {
  const result = await captureProgram(host, withoutReload(['systemctl', 'disable', unit]));
  // Without a unit, systemctl fails when there is no symlink to remove.
  if (result.exitCode === 0 || !(await isNameTaken(path))) return;
  const failure = buildCommandFailed(result);
  const { stdout } = await captureProgram(host, ['systemctl', 'is-enabled', unit]);
  if (stdout.trim() === 'enabled') throw failure;
  host.report({ kind: 'warning', text: failure.message });
}

/**
 * Whether the units of these names belong to the container. A person or a crash may have removed them while their symlinks
 * and processes still exist; then systemd knows no units of these names, unless the host has one.
 */
async function isOwnService(host: Host, name: string): Promise<boolean> {
  for (const { path } of buildContainerPaths(host.locations, name).units) {
    if (await isNameTaken(path)) return true;
  }
  await runProgram(host, reloadCommand);
  const states = await readUnitStates(host, listUnitsOf(name));
  return [...states.values()].every(({ loadState }) => loadState === 'not-found');
}
