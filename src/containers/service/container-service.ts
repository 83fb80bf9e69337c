/** Stops, starts and disables the service of a container. */
import { AtomicError, rewordError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import {
  buildCommandFailed,
  captureProgram,
  captureWithReminders,
  type ProgramResult,
  runProgram,
} from '../../host/run-program.ts';
import {
  buildDisableNowCommand,
  reloadCommand,
  showProperties,
  withoutReload,
} from '../../host/systemd/systemctl.ts';
import { isActive, readUnitState } from '../../host/systemd/unit-state.ts';
import { buildContainerPaths } from '../deployment.ts';
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
  host.report({ kind: 'command', argv: buildDisableNowCommand(name) });
  const before = await readUnitState(host, name);
  if (before.loadState === 'not-found' && !isActive(before)) return;
  await endServices(host, [name]);
}

/**
 * Stops the services of containers for an update or a rollback, in the order that systemd chooses. Those that do not run
 * stay as they are.
 *
 * @throws as `stopService`
 */
export async function stopUnits(host: Host, names: readonly string[]): Promise<void> {
  const running: string[] = [];
  for (const name of names) if (isActive(await readUnitState(host, name))) running.push(name);
  if (running.length === 0) return;
  host.report({ kind: 'command', argv: ['systemctl', 'stop', ...running] });
  await endServices(host, running);
}

/**
 * Starts the units that ran before an update or a rollback, in the order that systemd chooses.
 *
 * @param units with their types
 * @throws COMMAND_FAILED when one of them does not start
 */
export async function startUnits(host: Host, units: readonly string[]): Promise<void> {
  const start = await runStart(host, units);
  if (start.result.exitCode !== 0) throw buildStartFailed(start);
}

/** systemctl only says which signal ended a runtime. Its advice follows in the hint of the error. */
function buildStartFailed({ result, ended }: WatchedRun<ProgramResult>): AtomicError {
  const failure = buildCommandFailed(result);
  const stderr = toPrintable(
    result.stderrTail.trim().replaceAll(/ ?\bSee "systemctl .*? for details\./g, ''),
  );
  const reason = ended.map((unit) => `the container of ${unit} ended before it was ready`).join(', ');
  const message = reason || (stderr === '' ? failure.message : `${result.argv.join(' ')}: ${stderr}`);
  return rewordError(failure, message, failure.hint);
}

async function runStart(host: Host, units: readonly string[]): Promise<WatchedRun<ProgramResult>> {
  host.report({
    kind: 'command',
    argv: ['systemctl', 'start', ...units.map((unit) => unit.replace(/\.service$/, ''))],
  });
  const [isBooting] = await Promise.all([
    isBasicTargetPending(host),
    // These starts must not count for the start limits of the units.
    captureProgram(host, ['systemctl', 'reset-failed', ...units]),
  ]);
  const argv = ['systemctl', 'start', ...(isBooting ? ['--no-block'] : []), ...units];
  return withRuntimeWatch(host, units, () =>
    captureWithReminders(
      host,
      argv,
      (seconds) => `${units.join(', ')} not started after ${seconds} s; see \`systemctl list-jobs\``,
    ),
  );
}

/**
 * Whether the host has not booted so far that services start. `atomic-recover.service` runs then, and the boot waits for it: it
 * must not wait for a service.
 */
async function isBasicTargetPending(host: Host): Promise<boolean> {
  const [block] = await showProperties(host, ['ActiveState'], ['basic.target']);
  return block?.get('ActiveState') !== 'active';
}

async function endServices(host: Host, names: readonly string[]): Promise<void> {
  const result = await runStop(host, names);
  const failure = result.exitCode === 0 ? undefined : buildCommandFailed(result).message;
  for (const name of names) {
    if (!isActive(await readUnitState(host, name))) continue;
    const reason = failure ?? 'it was started again meanwhile';
    throw new AtomicError('UNIT_FAILED', `stop ${name}.service: ${reason}`, {
      hint: `Look at \`systemctl status ${name}\` for the reason, and repeat the command.`,
    });
  }
  if (failure !== undefined) host.report({ kind: 'warning', text: failure });
}

/**
 * Stops the service again after the removal of its unit, because a person may have started it after `stopService`.
 *
 * @throws COMMAND_FAILED
 */
export async function stopOrphan(host: Host, name: string): Promise<void> {
  host.report({ kind: 'command', argv: ['systemctl', 'stop', name] });
  const result = await runStop(host, [name]);
  if (result.exitCode !== 0) throw buildCommandFailed(result);
}

async function runStop(host: Host, names: readonly string[]): Promise<ProgramResult> {
  const units = names.map((name) => `${name}.service`);
  const { result } = await withRuntimeWatch(host, units, () =>
    captureWithReminders(
      host,
      ['systemctl', 'stop', ...units],
      (seconds) =>
        `${units.join(', ')} ${units.length === 1 ? 'has' : 'have'} not stopped after ${seconds} s; systemd kills it when its stop timeout is over, \`systemctl kill --signal=KILL ${names.join(' ')}\` does now`,
    ),
  );
  return result;
}

/**
 * Starts the service that `stopService` has stopped, and the units that systemd stopped with it. Reports a failure.
 *
 * @param running the units that ran before, with their types
 */
export async function startServiceAgain(host: Host, name: string, running: readonly string[]): Promise<void> {
  if (!(await isOwnService(host, name))) return;
  const start = await runStart(host, [...new Set([`${name}.service`, ...running])]);
  if (start.result.exitCode !== 0) host.report({ kind: 'warning', text: buildStartFailed(start).message });
}

/**
 * Removes the symlinks that enable the service, also those to a removed unit. Reports a failure that leaves none.
 *
 * @throws COMMAND_FAILED when the service is still enabled: a later unit of its name would start at the next boot
 */
export async function disableService(host: Host, name: string): Promise<void> {
  if (!(await isOwnService(host, name))) return;
  const result = await captureProgram(host, withoutReload(['systemctl', 'disable', `${name}.service`]));
  // Without a unit, systemctl fails when there is no symlink to remove.
  const hasUnit = await isNameTaken(buildContainerPaths(host.locations, name).unit);
  if (result.exitCode === 0 || !hasUnit) return;
  const failure = buildCommandFailed(result);
  const { stdout } = await captureProgram(host, ['systemctl', 'is-enabled', `${name}.service`]);
  if (stdout.trim() === 'enabled') throw failure;
  host.report({ kind: 'warning', text: failure.message });
}

/**
 * Whether the service of this name belongs to the container. A person or a crash may have removed the unit while its
 * symlinks and processes still exist; then systemd knows no unit of this name, unless the host has one.
 */
async function isOwnService(host: Host, name: string): Promise<boolean> {
  if (await isNameTaken(buildContainerPaths(host.locations, name).unit)) return true;
  await runProgram(host, reloadCommand);
  return (await readUnitState(host, name)).loadState === 'not-found';
}
