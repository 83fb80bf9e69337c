/** Builds the new deployments of an update beside the running ones. */
import { addDetails, wrapError } from '../../base/errors.ts';
import { requireWritable } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { shieldFromInterruption } from '../../host/interruption.ts';
import { listEnabledServices } from '../../host/systemd/systemctl.ts';
import { buildDeploymentFolder } from '../deployment.ts';
import { keepHostFiles } from '../hostfiles/keep-host-files.ts';
import { buildDeployment } from '../install/build-deployment.ts';
import { writeJournal } from '../journal.ts';
import type { Journal } from '../journal-format.ts';
import { checkHostFolders, listHostWrites } from '../prepare/check-host-folders.ts';
import { isFolder } from '../read-container.ts';
import { goBack } from '../recovery/walk-journal.ts';
import { buildRollbackFailed } from '../rollback-failed.ts';
import { dropStaleState } from '../state/kept-state.ts';
import { buildBuildingJournal, type Switch, type SwitchMember } from '../switch/switch-journal.ts';
import type { PreparedUpdate } from './prepare-update.ts';

/** Plans the switches of containers to their new deployments. */
export async function planSwitches(
  host: Host,
  updates: readonly PreparedUpdate[],
): Promise<readonly SwitchMember[]> {
  const services = updates.map(({ current }) => current).filter(({ record }) => record.hasContainerService);
  const enabled = await listEnabledServices(
    host,
    services.map(({ name }) => name),
  );
  return Promise.all(
    updates.map(async ({ current: { name: container, active: from, other: to }, prepared, state }) => ({
      ...{ container, from, to },
      isEnabled: enabled.has(container),
      hadPrevious: await isFolder(buildDeploymentFolder(host.locations, container, to)),
      ...(state === undefined ? {} : { state }),
      newVolumes: prepared.plan.newVolumes,
    })),
  );
}

/**
 * Builds the new deployments under dot-names and syncs them. Afterwards the journal exists.
 *
 * @throws the errors of `buildDeployment`, after the incomplete deployments and the journal are removed
 */
export async function buildUpdates(
  host: Host,
  change: Switch,
  updates: readonly PreparedUpdate[],
): Promise<void> {
  for (const folder of [host.locations.units, host.locations.tmpfiles]) await requireWritable(folder);
  for (const { current, prepared } of updates) {
    await checkHostFolders(listHostWrites(prepared.plan));
    // Without a journal, they remain from a killed update whose journal a person has removed.
    for (const state of ['previous', 'old'] as const) {
      await removeTree(buildDeploymentFolder(host.locations, current.name, current.other, state));
    }
    await dropStaleState(host, current.name, current.active);
    await keepHostFiles(
      host,
      buildDeploymentFolder(host.locations, current.name, current.active),
      current.name,
    );
  }
  const journal = buildBuildingJournal(change);
  await writeJournal(host, journal);
  for (const { current, prepared } of updates) {
    const { name, other } = current;
    try {
      await buildDeployment(host, prepared, other);
    } catch (failure) {
      const error = addDetails(wrapError(failure, `updating ${name}`), { culprit: name });
      throw await discard(shieldFromInterruption(host), journal, error);
    }
  }
}

/** @returns the error to throw, after the incomplete deployments are removed */
async function discard(host: Host, journal: Journal, failure: unknown): Promise<unknown> {
  try {
    await goBack(host, journal);
    return failure;
  } catch (undoFailure) {
    return buildRollbackFailed(`updating ${journal.containers.join(', ')}`, failure, undoFailure);
  }
}
