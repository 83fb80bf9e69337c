/** The new deployment of an update, which is built beside the running one. */
import { wrapError } from '../../base/errors.ts';
import { requireWritable } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { shieldFromInterruption } from '../../host/interruption.ts';
import { isServiceEnabled } from '../../host/systemd/systemctl.ts';
import { buildDeploymentFolder } from '../deployment.ts';
import { buildDeployment } from '../install/build-deployment.ts';
import { type SwitchJournal, writeJournal } from '../journal.ts';
import { checkHostFolders, listHostWrites } from '../prepare/check-host-folders.ts';
import { isFolder } from '../read-container.ts';
import { buildRollbackFailed } from '../rollback-failed.ts';
import { recoverSwitch } from '../switch/recover-switch.ts';
import type { PreparedUpdate } from './prepare-update.ts';

/** Builds the new deployment under a dot-name and syncs it. */
export async function buildUpdate(
  host: Host,
  { current, prepared: { plan, warnings }, running }: PreparedUpdate,
): Promise<SwitchJournal> {
  const { name, active: from, other: to, record } = current;
  const journal: SwitchJournal = {
    ...{ operation: 'update', container: name, from, to, phase: 'building', running },
    isEnabled: record.hasContainerService && (await isServiceEnabled(host, name)),
    hadPrevious: await isFolder(buildDeploymentFolder(host.locations, name, to)),
  };
  for (const folder of [host.locations.units, host.locations.tmpfiles]) await requireWritable(folder);
  await checkHostFolders(listHostWrites(plan));
  // Without a journal, it remains from a killed update whose journal a person has removed.
  await removeTree(buildDeploymentFolder(host.locations, name, to, 'previous'));
  await writeJournal(host, journal);
  try {
    await buildDeployment(host, plan, to, warnings);
  } catch (failure) {
    throw await discard(shieldFromInterruption(host), journal, wrapError(failure, `updating ${name}`));
  }
  return journal;
}

/** @returns the error to throw, after the incomplete deployment is removed */
async function discard(host: Host, journal: SwitchJournal, failure: unknown): Promise<unknown> {
  try {
    await recoverSwitch(host, journal);
    return failure;
  } catch (undoFailure) {
    return buildRollbackFailed(`updating ${journal.container}`, failure, undoFailure);
  }
}
