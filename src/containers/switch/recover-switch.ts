import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { buildDeploymentFolder } from '../deployment.ts';
import { removeJournal, type SwitchJournal } from '../journal.ts';
import { finishSwitch, revertSwitch } from './switch-deployment.ts';

/**
 * What follows a crash of an update or a rollback: until the new deployment was found up, the old one comes back, with what
 * ran.
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
