/** Undoes or finishes an operation, for the operation itself and after a crash. Both may be repeated. */
import { AtomicError, addDetails, rewordError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { buildContainerPaths, buildDeploymentFolder } from '../deployment.ts';
import { removeJournal } from '../journal.ts';
import type { Journal } from '../journal-format.ts';
import { findLinkTarget, readContainer } from '../read-container.ts';
import { runSteps } from '../steps/run-steps.ts';

/** Whether the operation is past its commit point: then it can only be finished. */
export async function isCommitted(
  host: Host,
  { commit, containers: [name] }: Pick<Journal, 'commit' | 'containers'>,
): Promise<boolean> {
  if ('phase' in commit) return commit.phase === 'settled';
  const target = await findLinkTarget(buildContainerPaths(host.locations, name).link);
  if (commit.link === null) return target === undefined;
  const folder = buildDeploymentFolder(host.locations, name, commit.link);
  return target === folder && (await readContainer(host, name)).kind === 'installed';
}

/**
 * Undoes the steps before the commit point, and ends the operation. A unit that does not start ends neither the undo nor
 * the next operation on the container.
 *
 * @throws the errors of the steps; then the journal stays, unless only a unit does not start
 */
export async function goBack(host: Host, journal: Journal): Promise<void> {
  let notStarted: unknown;
  for (const step of journal.back) {
    try {
      await runSteps(host, [step]);
    } catch (error) {
      const isInterrupted = error instanceof AtomicError && error.code === 'INTERRUPTED';
      if (isInterrupted || (step.step !== 'start' && step.step !== 'start-again')) throw error;
      notStarted = error;
    }
  }
  await removeJournal(host, journal);
  if (notStarted !== undefined) throw describeOver(notStarted);
}

/** There is nothing to recover: a person must start the unit. */
function describeOver(error: unknown): unknown {
  if (!(error instanceof AtomicError)) return error;
  const hint =
    'Everything else is restored: look for the cause with `systemctl --failed`, and start the unit.';
  return addDetails(rewordError(error, error.message, hint), { isOver: true });
}

/**
 * Does the steps after the commit point, and ends the operation.
 *
 * @throws the errors of the steps; then the journal stays, and recovery does the remaining steps
 */
export async function finish(host: Host, journal: Journal): Promise<void> {
  await runSteps(host, journal.rest);
  await removeJournal(host, journal);
}
