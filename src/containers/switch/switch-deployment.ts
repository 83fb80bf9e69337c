/**
 * Switches a container from one deployment to the other: the second half of an update, and all of a rollback.
 *
 * ```
 * build       .NAME.TO.new is complete and on the disk; the running container has not changed
 * journal     phase `switching`: the following steps are undone after a failure and after a crash
 * make room   NAME.TO -> .NAME.TO.previous, .NAME.TO.new -> NAME.TO            (an update; for a rollback NAME.TO exists)
 * host files  files of /exports/hostfs, unit and tmpfiles.d file of TO; systemd reads the unit now if it stops the service alike
 * stop        the service, and the units that depend on it
 * symlink     NAME -> NAME.TO
 * start       the units that ran
 * health      the service must be up, otherwise all steps are undone
 * journal     phase `settled`: the following steps are finished after a crash
 * clean up    .NAME.TO.previous is removed, then the journal
 * ```
 */
import { rename } from 'node:fs/promises';
import { AtomicError, rewordError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { syncDirectory } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { shieldFromInterruption, throwIfInterrupted } from '../../host/interruption.ts';
import { parseTmpfiles } from '../../host/systemd/tmpfiles-lines.ts';
import { setActiveDeployment } from '../active-deployment.ts';
import { buildContainerPaths, buildDeploymentFolder } from '../deployment.ts';
import { type ExchangeResult, exchangeHostFiles } from '../hostfiles/exchange-host-files.ts';
import { readHostFilesRecords, readStagedFiles } from '../hostfiles/read-staged-files.ts';
import { removeJournal, type SwitchJournal, writeJournal } from '../journal.ts';
import { findLinkTarget, isFolder, readDeployment } from '../read-container.ts';
import { bringsUnits } from '../render/hostfiles/host-path-rules.ts';
import { stopsAlike } from '../render/unit/unit-stop.ts';
import { buildRollbackFailed } from '../rollback-failed.ts';
import { createDeclaredPaths, readCopies, reloadUnit, replaceHostFiles } from '../service/activate.ts';
import { startUnits, stopUnit } from '../service/container-service.ts';
import { listPathsToCreate, removeCreatedFolders } from '../service/created-paths.ts';
import { type DeclaredPaths, noPaths, undoDeclaredPaths } from '../service/declared-paths.ts';
import { listRunningUnits } from '../service/running-units.ts';
import { awaitHealth, buildUnhealthy, type HealthRequest } from './await-health.ts';

/**
 * Switches to a deployment. The caller has written the journal, in the phase `building` or `switching`.
 *
 * After success, the service of the new deployment is up, or stopped as it was before. After a failure or an
 * interruption, the old deployment is restored, and the units that ran before run again.
 *
 * @param health undefined when the service is not started
 * @returns the changes to the host files of the image
 * @throws ROLLED_BACK {phase, log} when the service is not up, and the errors of the steps, both after the old
 *   deployment is restored; ROLLBACK_FAILED when the old service does not come up either
 */
export async function switchDeployment(
  host: Host,
  begun: SwitchJournal,
  health: HealthRequest | undefined,
): Promise<ExchangeResult> {
  const { container: name, from } = begun;
  let journal = begun;
  let declared = noPaths;
  const declare = (paths: DeclaredPaths) => {
    declared = paths;
  };
  let exchanged: ExchangeResult;
  try {
    const { unit } = await readCopies(buildDeploymentFolder(host.locations, name, from), name);
    // The build may take long, so the running units are listed just before the stop. Without a service of its own, the
    // unit belongs to the host.
    journal = { ...begun, running: unit === undefined ? [] : await listRunningUnits(host, name) };
    await writeJournal(host, { ...journal, phase: 'switching' });
    await makeRoom(host, journal);
    exchanged = await exchange(host, journal, declare);
    await start(host, journal, health);
    await writeJournal(host, { ...journal, phase: 'settled' });
  } catch (failure) {
    throw await takeBack(shieldFromInterruption(host), journal, declared, failure);
  }
  try {
    await finishSwitch(shieldFromInterruption(host), name, journal);
  } catch (failure) {
    throw describeUnfinished(journal, failure);
  }
  return exchanged;
}

/** The new deployment is up: records that, and cleans up. */
function describeUnfinished({ container, to }: SwitchJournal, failure: unknown): unknown {
  if (!(failure instanceof AtomicError)) return failure;
  const hint = 'Remove the cause and run `atomic recover`.';
  return rewordError(failure, `${failure.message}; ${container} runs from ${container}.${to}`, hint);
}

/** Removes the remains of a switch after the new deployment is up. May be repeated. */
export async function finishSwitch(host: Host, name: string, { to }: SwitchJournal): Promise<void> {
  await removeTree(buildDeploymentFolder(host.locations, name, to, 'previous'));
  await removeTree(buildDeploymentFolder(host.locations, name, to, 'old'));
  await removeJournal(host, name);
}

async function makeRoom(host: Host, { container: name, to, operation }: SwitchJournal): Promise<void> {
  if (operation === 'rollback') return;
  const folder = buildDeploymentFolder(host.locations, name, to);
  const built = buildDeploymentFolder(host.locations, name, to, 'new');
  const previous = buildDeploymentFolder(host.locations, name, to, 'previous');
  await withFileErrors(`replace ${folder}`, async () => {
    if (await isFolder(folder)) await rename(folder, previous);
    await rename(built, folder);
  });
}

/** Changes from the old deployment to the new one. The pause of the service is as short as possible. */
async function exchange(
  host: Host,
  journal: SwitchJournal,
  declare: (paths: DeclaredPaths) => void,
): Promise<ExchangeResult> {
  const { container: name, from, to } = journal;
  const oldFolder = buildDeploymentFolder(host.locations, name, from);
  const old = await readCopies(oldFolder, name);
  const folder = buildDeploymentFolder(host.locations, name, to);
  const wanted = await readCopies(folder, name);
  throwIfInterrupted(host);
  const staged = await readStagedFiles(host, folder, name);
  const records = await readHostFilesRecords(host, [oldFolder], name);
  const exchanged = await exchangeHostFiles(host, records, staged);
  await replaceHostFiles(host, name, wanted);
  const reloadsEarly = stopsAlike(old.unit ?? '', wanted.unit ?? '');
  const ownUnits = [...records, ...(staged === undefined ? [] : [staged.record])].some(bringsUnits);
  const hasUnit = ownUnits || (old.unit ?? wanted.unit) !== undefined;
  if (hasUnit && reloadsEarly) await reloadUnit(host, journal, old, wanted);
  if (old.tmpfiles !== wanted.tmpfiles) {
    declare(await planDeclaredPaths(old.tmpfiles ?? '', wanted.tmpfiles ?? ''));
    await createDeclaredPaths(host, name, folder);
  }
  throwIfInterrupted(host);
  if (journal.running.length > 0) await stopUnit(host, name);
  await setActiveDeployment(host, name, folder);
  if (hasUnit && !reloadsEarly) await reloadUnit(host, journal, old, wanted);
  return exchanged;
}

/** Plans the lines that only the new tmpfiles.d file has: the others have been carried out before. */
async function planDeclaredPaths(old: string, wanted: string): Promise<DeclaredPaths> {
  const known = new Set(parseTmpfiles(old).map(({ text }) => text));
  const added = parseTmpfiles(wanted).filter(({ text }) => !known.has(text));
  return { text: added.map(({ text }) => text).join('\n'), missing: await listPathsToCreate(wanted) };
}

/** @throws UNIT_FAILED when the service does not start or does not stay up */
async function start(host: Host, { container, running }: SwitchJournal, health: HealthRequest | undefined) {
  if (running.length === 0 || health === undefined) return;
  try {
    await startUnits(host, running);
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'COMMAND_FAILED') throw error;
    throw await buildUnhealthy(host, container, 'start', error.message);
  }
  await awaitHealth(host, health);
}

/** @returns the error to throw, after the old deployment is restored */
async function takeBack(
  host: Host,
  journal: SwitchJournal,
  declared: DeclaredPaths,
  failure: unknown,
): Promise<unknown> {
  try {
    await revertSwitch(host, journal);
    await undoDeclaredPaths(host, journal.container, declared);
    return describeTakenBack(failure, journal);
  } catch (undoFailure) {
    return buildRollbackFailed(
      `switching ${journal.container} to deployment ${journal.to}`,
      failure,
      undoFailure,
    );
  }
}

/**
 * Restores the old deployment from any point of a switch, and starts the units that ran. May be repeated.
 *
 * @throws COMMAND_FAILED when the old service does not start either; the container then has the old deployment, and the
 *   operation has ended
 */
export async function revertSwitch(host: Host, journal: SwitchJournal): Promise<void> {
  const { container: name, from, running } = journal;
  const folder = buildDeploymentFolder(host.locations, name, from);
  const isSwitched = (await findLinkTarget(buildContainerPaths(host.locations, name).link)) !== folder;
  if (isSwitched) await stopUnit(host, name);
  await setActiveDeployment(host, name, folder);
  const wanted = await readCopies(folder, name);
  await restoreHostFiles(host, journal);
  await replaceHostFiles(host, name, wanted);
  const failed = buildDeploymentFolder(host.locations, name, journal.to);
  const replaced = (await hasMadeRoom(host, journal)) ? await readCopies(failed, name) : wanted;
  await reloadUnit(host, journal, replaced, wanted);
  await restorePrevious(host, journal);
  try {
    if (running.length > 0) await startUnits(host, running);
  } finally {
    // A service that does not start must not prevent the next update of the container.
    await removeJournal(host, name);
  }
}

/** Before the new deployment has its final name, the host files are those of the old deployment. */
async function restoreHostFiles(host: Host, journal: SwitchJournal): Promise<void> {
  const { container: name, from, to } = journal;
  if (!(await hasMadeRoom(host, journal))) return;
  const records = await readHostFilesRecords(host, [buildDeploymentFolder(host.locations, name, to)], name);
  const staged = await readStagedFiles(host, buildDeploymentFolder(host.locations, name, from), name);
  await exchangeHostFiles(host, records, staged);
}

/** Whether the new deployment has its final name. */
async function hasMadeRoom(
  host: Host,
  { container: name, to, operation, hadPrevious }: SwitchJournal,
): Promise<boolean> {
  if (operation === 'rollback') return true;
  const state = hadPrevious ? 'previous' : 'final';
  return isFolder(buildDeploymentFolder(host.locations, name, to, state));
}

/** Restores the deployment that was set aside, and removes the one that failed. */
async function restorePrevious(host: Host, journal: SwitchJournal): Promise<void> {
  const { container: name, from, to, operation, hadPrevious } = journal;
  if (operation === 'rollback') return;
  const folder = buildDeploymentFolder(host.locations, name, to);
  const built = buildDeploymentFolder(host.locations, name, to, 'new');
  const previous = buildDeploymentFolder(host.locations, name, to, 'previous');
  const old = buildDeploymentFolder(host.locations, name, to, 'old');
  await removeTree(old);
  if (await hasMadeRoom(host, journal)) {
    const kept = await readDeployment(host, buildDeploymentFolder(host.locations, name, from), name);
    const made = (await readDeployment(host, folder, name))?.createdFolders ?? [];
    await removeCreatedFolders(
      host,
      undefined,
      made.filter((path) => !kept?.createdFolders.includes(path)),
    );
    await withFileErrors(`restore ${folder}`, async () => {
      if (await isFolder(folder)) await rename(folder, old);
      if (hadPrevious) await rename(previous, folder);
    });
    await syncDirectory(host.locations.checkouts);
  }
  await removeTree(old);
  await removeTree(built);
}

/**
 * Builds the error after the old deployment is restored. Only when the service was not up, it names the image as the
 * cause.
 */
function describeTakenBack(failure: unknown, { container, from }: SwitchJournal): unknown {
  if (!(failure instanceof AtomicError)) return failure;
  const message = `${failure.message}; ${container}.${from} is restored`;
  if (failure.code !== 'UNIT_FAILED' || failure.details?.phase === undefined) {
    return rewordError(failure, message, failure.hint);
  }
  return new AtomicError('ROLLED_BACK', message, {
    cause: failure.cause,
    hint: `See \`journalctl --unit ${container}\`.`,
    details: { ...failure.details, deployment: from },
  });
}
