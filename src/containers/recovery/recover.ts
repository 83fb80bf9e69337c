/** Recovers from crashes: undoes or finishes each operation that has a journal and holds no lock. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { requireSystemd } from '../../host/systemd/systemctl.ts';
import { isActive, readUnitState } from '../../host/systemd/unit-state.ts';
import { withContainerLockIfFree, withContainerLocks } from '../container-lock.ts';
import { findJournal, listJournals, listTraces, removeJournal, removeTrace } from '../journal.ts';
import type { Journal } from '../journal-format.ts';
import { requireRoot } from '../preconditions.ts';
import { runSteps } from '../steps/run-steps.ts';
import { goBack, isCommitted } from './walk-journal.ts';

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
      if (result.kind === 'done') recovered.push(...result.value);
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
 * @param own the containers whose locks the caller takes next
 */
export async function recoverOthers(host: Host, ...own: readonly string[]): Promise<void> {
  for (const name of await listJournals(host)) {
    if (own.includes(name)) continue;
    try {
      await withContainerLockIfFree(host, name, 'recover', () => recoverContainer(host, name));
    } catch (error) {
      if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
      host.report({ kind: 'warning', text: `recovering ${name}: ${error.message}` });
    }
  }
}

/**
 * Undoes or finishes the interrupted operation on one container, and with it on the other members of its group. The caller
 * holds its lock.
 *
 * @param held the containers whose locks the caller holds
 * @returns empty when there is none
 * @throws LOCK_BUSY when the lock of another member is not free; what the steps throw
 */
export async function recoverContainer(
  host: Host,
  name: string,
  held: readonly string[] = [name],
): Promise<readonly Recovered[]> {
  const others = (await findJournal(host, name))?.containers.filter((one) => !held.includes(one)) ?? [];
  return withFreeLocks(host, others, async () => {
    const journal = await findJournal(host, name);
    if (journal === undefined) {
      await removeTrace(host, name);
      return [];
    }
    const outcome = await recoverOperation(host, journal);
    const { operation } = journal;
    const recovered = journal.containers.map((container) => ({ container, operation, outcome }));
    for (const one of recovered) host.report({ kind: 'recovered', ...one });
    return recovered;
  });
}

/** Does not wait for them: the process that holds one of them may wait for that of the caller. */
async function withFreeLocks<T>(
  host: Host,
  [name, ...others]: readonly string[],
  action: () => Promise<T>,
): Promise<T> {
  if (name === undefined) return action();
  const result = await withContainerLockIfFree(host, name, 'recover', () =>
    withFreeLocks(host, others, action),
  );
  if (result.kind === 'done') return result.value;
  throw new AtomicError('LOCK_BUSY', `recovering an operation on several containers: ${name} is in use`, {
    hint: 'Another command works on it: repeat this one later.',
    details: { name },
  });
}

async function recoverOperation(host: Host, journal: Journal): Promise<Recovered['outcome']> {
  if (!(await isCommitted(host, journal)) || !(await tryToFinish(host, journal))) {
    await goBack(host, journal);
    return 'undone';
  }
  await removeJournal(host, journal);
  return 'finished';
}

/**
 * Does the remaining steps. Undoes an install that cannot be activated, as the install itself would have done. When the
 * service runs, the install had succeeded and only its journal could not be removed: then a failure does not remove the
 * container. A repair that fails ends too.
 */
async function tryToFinish(host: Host, { operation, containers, rest }: Journal): Promise<boolean> {
  try {
    await runSteps(host, rest);
    return true;
  } catch (error) {
    const [name] = containers;
    if (operation === 'repair' && error instanceof AtomicError && error.code !== 'INTERRUPTED') {
      // What is restored stays. The container must not wait for a repair that a person can repeat.
      host.report({ kind: 'warning', text: `repairing ${name}: ${error.message}` });
      return false;
    }
    if (operation !== 'install' || !(error instanceof AtomicError) || error.code === 'INTERRUPTED')
      throw error;
    if (isActive(await readUnitState(host, `${name}.service`))) throw error;
    host.report({ kind: 'warning', text: `activating ${name}: ${error.message}` });
    return false;
  }
}

/**
 * Runs an operation on containers with their locks, after interrupted operations on them were undone or finished. So the
 * operation waits for an update that stops and starts the same service.
 */
export async function withRecoveredContainers<T>(
  host: Host,
  names: readonly string[],
  verb: string,
  action: () => Promise<T>,
): Promise<T> {
  return withContainerLocks(host, names, verb, async () => {
    for (const name of names) await recoverContainer(host, name, names);
    return action();
  });
}
