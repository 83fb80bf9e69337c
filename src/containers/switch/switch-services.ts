/**
 * The middle of a switch: from the stop of the old services to the health of the new ones. Between the stop and the start
 * there is one rename for each container, and what cannot be done while the services run.
 */
import { AtomicError } from '../../base/errors.ts';
import { syncDirectory } from '../../host/files/durable-files.ts';
import { keepSpare } from '../../host/files/spare-file.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { UnitJobs } from '../../host/systemd/unit-jobs.ts';
import { prepareLink, replaceLink } from '../active-deployment.ts';
import { buildContainerPaths, buildDeploymentFolder, listUnitsOf } from '../deployment.ts';
import { readyStart, startUnits, stopUnits } from '../service/container-service.ts';
import { type ReplacedUnits, reloadUnits } from '../service/reload-units.ts';
import { copyState, restoreState } from '../state/kept-state.ts';
import { awaitHealth, type HealthRequest } from './await-health.ts';
import { describeFailedStart } from './failed-start.ts';
import type { Switch, SwitchMember } from './switch-journal.ts';

interface ServiceChange {
  /** The units that run, with their types. */
  readonly running: readonly string[];
  /** Of the members; empty when services are not started. */
  readonly health: readonly HealthRequest[];
  /** The units that systemd must read between the stop and the start. */
  readonly lateReload: readonly ReplacedUnits[];
}

/**
 * Stops the services, switches to the new deployments, and starts the units that ran.
 *
 * @throws UNIT_FAILED when a service does not stop, does not start or does not stay up, and the errors of the steps
 */
export async function switchServices(
  host: Host,
  { operation, members }: Switch,
  { running, health, lateReload }: ServiceChange,
): Promise<void> {
  const units = members.flatMap(({ container }) => listUnitsOf(container));
  using jobs = new UnitJobs(host);
  const start = await readyStart(host, jobs, health.length === 0 ? [] : running);
  const prepared: string[] = [];
  for (const { container: name, to } of members) {
    const { link, spareLink } = buildContainerPaths(host.locations, name);
    await keepSpare(link, spareLink);
    if (await prepareLink(host, name, buildDeploymentFolder(host.locations, name, to))) prepared.push(name);
  }
  throwIfInterrupted(host);
  await stopUnits(
    host,
    jobs,
    units.filter((unit) => running.includes(unit)),
  );
  for (const name of prepared) await replaceLink(host, name);
  if (lateReload.length > 0) await reloadUnits(host, lateReload);
  for (const member of members) await changeState(host, operation, member);
  const watched = health.filter(({ name }) => running.includes(`${name}.service`));
  try {
    await startUnits(host, jobs, start);
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'COMMAND_FAILED') throw error;
    throw await describeFailedStart(
      host,
      start.units,
      watched.map(({ name }) => name),
      error,
    );
  }
  await syncDirectory(host.locations.checkouts);
  // Waits for all, so that no health check runs any more when the old deployments are restored.
  const results = await Promise.allSettled(watched.map((request) => awaitHealth(host, request)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** An update keeps a copy of the state for the way back; a rollback exchanges the present state for that copy. */
async function changeState(
  host: Host,
  operation: Switch['operation'],
  { container, from, to, state: folder }: SwitchMember,
): Promise<void> {
  if (folder === undefined) return;
  throwIfInterrupted(host);
  if (operation === 'update') await copyState(host, container, { folder, number: from });
  else await restoreState(host, { container, folder, source: to, keeper: from });
}
