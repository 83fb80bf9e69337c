import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { buildDeploymentFolder } from '../deployment.ts';
import { removeJournal, type SwitchJournal } from '../journal.ts';
import { finishSwitch, revertSwitch } from './switch-deployment.ts';

/**
 * Recovers from a crash of an update or a rollback: restores the old deployment and starts the units that ran, unless
 * the new deployment was up.
 *
 * @throws as `revertSwitch`
 */
export async function recoverSwitch(host: Host, journal: SwitchJournal): Promise<'undone' | 'finished'> {
  const { container: name, to, phase } = journal;
  switch (phase) {
    case 'building':
      await removeTree(buildDeploymentFolder(host.locations, name, to, 'new'));
      await removeJournal(host, name);
      return 'undone';
    case 'switching':
      await revertSwitch(host, journal);
      return 'undone';
    case 'settled':
      await finishSwitch(host, name, journal);
      return 'finished';
  }
}
