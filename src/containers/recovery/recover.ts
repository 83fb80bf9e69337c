/** Recovers from crashes: undoes or finishes each operation that has a journal and holds no lock. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { isActive, readUnitState, requireSystemd } from '../../host/systemd/systemctl.ts';
import { withContainerLockIfFree } from '../container-lock.ts';
import { buildContainerPaths, buildDeploymentFolder } from '../deployment.ts';
import {
  findJournal,
  type Journal,
  listJournals,
  listTraces,
  removeJournal,
  removeTrace,
} from '../journal.ts';
import { requireRoot } from '../preconditions.ts';
import { findLinkTarget, readContainer } from '../read-container.ts';
import { activateDeployment } from '../service/activate.ts';
import { recoverSwitch } from '../switch/recover-switch.ts';
import {
  finishUninstall,
  isUninstallCommitted,
  revertUninstall,
  type UninstallJournal,
} from './finish-uninstall.ts';
import { undoInstall } from './undo-install.ts';

export interface Recovered {
  readonly container: string;
  readonly operation: Journal['operation'];
  readonly outcome: 'undone' | 'finished';
}

/**
 * Recovers every interrupted operation. It ignores running operations.
 *
 * @returns what was done
 * @throws NOT_ROOT, NO_SYSTEMD; the first failure, after all operations were tried; its journal stays
 */
export async function recoverOperations(host: Host): Promise<readonly Recovered[]> {
  requireRoot(host, 'recover');
  const journals = await listJournals(host);
  if (journals.length > 0) await requireSystemd();
  const names = new Set([...journals, ...(await listTraces(host))]);
  const recovered: Recovered[] = [];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      const result = await withContainerLockIfFree(host, name, 'recover', () => recoverContainer(host, name));
      if (result.kind === 'done' && result.value !== undefined) recovered.push(result.value);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return recovered;
}

/**
 * Recovers the operations of other commands before a change. A failure is reported and does not stop the command, because
 * operations on different containers do not depend on each other.
 *
 * @param own the container whose lock the caller takes next
 */
export async function recoverOthers(host: Host, own: string): Promise<void> {
  for (const name of await listJournals(host)) {
    if (name === own) continue;
    try {
      await withContainerLockIfFree(host, name, 'recover', () => recoverContainer(host, name));
    } catch (error) {
      if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
      host.report({ kind: 'warning', text: `recovering ${name}: ${error.message}` });
    }
  }
}

/**
 * Undoes or finishes the interrupted operation on one container. The caller holds its lock.
 *
 * @returns undefined when there is none
 */
export async function recoverContainer(host: Host, name: string): Promise<Recovered | undefined> {
  const journal = await findJournal(host, name);
  if (journal === undefined) {
    await removeTrace(host, name);
    return undefined;
  }
  const outcome = await recoverOperation(host, journal);
  const recovered = { container: name, operation: journal.operation, outcome };
  host.report({ kind: 'recovered', ...recovered });
  return recovered;
}

async function recoverOperation(host: Host, journal: Journal): Promise<Recovered['outcome']> {
  switch (journal.operation) {
    case 'install':
      return recoverInstall(host, journal);
    case 'uninstall':
      return recoverUninstall(host, journal);
    case 'update':
    case 'rollback':
      return recoverSwitch(host, journal);
  }
}

async function recoverUninstall(host: Host, journal: UninstallJournal): Promise<Recovered['outcome']> {
  if (await isUninstallCommitted(host, journal)) {
    await finishUninstall(host, journal);
    return 'finished';
  }
  await revertUninstall(host, journal);
  await removeJournal(host, journal.container);
  return 'undone';
}

async function recoverInstall(
  host: Host,
  journal: Journal & { operation: 'install' },
): Promise<Recovered['outcome']> {
  const { container: name, deployment: number } = journal;
  const folder = buildDeploymentFolder(host.locations, name, number);
  const { link } = buildContainerPaths(host.locations, name);
  const isCommitted =
    (await findLinkTarget(link)) === folder && (await readContainer(host, name)).kind === 'installed';
  const finished = isCommitted && (await tryToActivate(host, name, folder));
  if (!finished) await undoInstall(host, { name, number });
  await removeJournal(host, name);
  return finished ? 'finished' : 'undone';
}

/**
 * Undoes an install that cannot be activated, as the install itself would have done. When the service runs, the install
 * had succeeded and only its journal could not be removed: then a failure does not remove the container.
 */
async function tryToActivate(host: Host, name: string, folder: string): Promise<boolean> {
  try {
    await activateDeployment(host, name, folder);
    return true;
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
    if (isActive(await readUnitState(host, name))) throw error;
    host.report({ kind: 'warning', text: `activating ${name}: ${error.message}` });
    return false;
  }
}
