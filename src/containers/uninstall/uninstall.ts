import { dirname } from 'node:path';
import { AtomicError, rewordError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { requireWritable } from '../../host/files/durable-files.ts';
import { requireNoMounts } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { shieldFromInterruption, throwIfInterrupted } from '../../host/interruption.ts';
import { removeStaleState } from '../../host/runtime/runtime.ts';
import { isActive, readUnitState } from '../../host/systemd/unit-state.ts';
import { listOwnFolders } from '../consent/own-folders.ts';
import type { DeploymentRecord } from '../container.ts';
import { withContainerLock } from '../container-lock.ts';
import { buildDeploymentFolder, deploymentNumbers, listUnitsOf } from '../deployment.ts';
import { findJournal, writeJournal } from '../journal.ts';
import type { Journal } from '../journal-format.ts';
import { requireNotShown } from '../mounted-deployments.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { buildContainerNotFound, isFolder, readContainer } from '../read-container.ts';
import { recoverContainer, recoverOthers } from '../recovery/recover.ts';
import { finish, goBack, isCommitted } from '../recovery/walk-journal.ts';
import { adviceForExistingName, parseContainerName } from '../render/container-name.ts';
import { buildRollbackFailed } from '../rollback-failed.ts';
import { stopService } from '../service/container-service.ts';
import { hasOwnUnits, isOwnTmpfiles } from '../service/own-files.ts';
import { listRunningUnits } from '../service/running-units.ts';
import { isLeftBy } from '../state/foreign-folders.ts';
import type { Step } from '../step.ts';
import { runSteps } from '../steps/run-steps.ts';
import { buildPurge, buildTidying } from '../volumes/remove-volumes.ts';
import { findVolumes, readOwner } from '../volumes/volume-folders.ts';
import {
  buildUninstallJournal,
  commitStep,
  readSubject,
  type UninstallSubject,
} from './uninstall-journal.ts';

/** What happens to the volumes of the container. */
export type DataChoice = 'keep' | 'remove';

/**
 * Uninstalls a container: its service, unit, tmpfiles.d file and deployments; the image stays (compatibility U-01). A
 * damaged or incomplete container can be uninstalled too.
 *
 * Nothing is removed before the service has ended: a failure or an interruption until then starts it again and removes
 * the journal, and the error describes the state of the container. After that the uninstall can only be finished.
 *
 * @returns the folders with its data, which stay
 * @throws NOT_ROOT, NO_SYSTEMD, BAD_VALUE, CONTAINER_NOT_FOUND, READ_ONLY, UNIT_FAILED when the service does not stop,
 *   DEPLOYMENT_IN_USE when something is mounted below a deployment, INTERRUPTED, ROLLBACK_FAILED when the service could
 *   not be started again, the errors of the steps after the commit point
 */
export async function uninstallContainer(
  host: Host,
  name: string,
  data: DataChoice,
): Promise<readonly string[]> {
  parseContainerName(name, adviceForExistingName);
  await requireSystemAccess(host, 'uninstall');
  await recoverOthers(host, name);
  return withContainerLock(host, name, 'uninstall', async () => {
    const pending = await findJournal(host, name);
    if (pending?.operation === 'uninstall') return continueUninstall(host, pending);
    const recovered = await recoverContainer(host, name);
    if (recovered.some(({ outcome }) => outcome === 'undone') && !(await isAnythingThere(host, name)))
      return [];
    const journal = await planUninstall(host, name, data);
    throwIfInterrupted(host);
    await writeJournal(host, journal);
    return applyUninstall(host, journal);
  });
}

async function continueUninstall(host: Host, journal: Journal): Promise<readonly string[]> {
  return (await isCommitted(host, journal)) ? finishUninstall(host, journal) : applyUninstall(host, journal);
}

async function applyUninstall(host: Host, journal: Journal): Promise<readonly string[]> {
  const { name, hasService, runtime } = readSubject(journal);
  try {
    if (hasService) await stopService(host, name);
    if (runtime !== null) await removeStaleState(host, runtime, name);
    await requireNotShown(host, name);
    await requireNoMountsOf(host, name);
    throwIfInterrupted(host);
    await runSteps(host, [commitStep(name)]);
  } catch (failure) {
    throw await takeBack(shieldFromInterruption(host), journal, failure);
  }
  return finishUninstall(host, journal);
}

/** @returns the error to throw: the failure, and the state of the container */
async function takeBack(host: Host, journal: Journal, failure: unknown): Promise<unknown> {
  const { name, hasService, wasActive } = readSubject(journal);
  try {
    await goBack(host, journal);
    const state = hasService ? await readUnitState(host, `${name}.service`) : undefined;
    if (!(failure instanceof AtomicError)) return failure;
    const service = state === undefined ? '' : `, and ${name}.service is ${state.activeState}`;
    const isLost = wasActive && state?.activeState !== 'active';
    const hint = isLost ? `Start it with \`systemctl start ${name}\`.` : failure.hint;
    return rewordError(failure, `${failure.message}; ${name} stays installed${service}`, hint);
  } catch (undoFailure) {
    return buildRollbackFailed(`uninstalling ${name}`, failure, undoFailure);
  }
}

async function finishUninstall(host: Host, journal: Journal): Promise<readonly string[]> {
  try {
    await finish(shieldFromInterruption(host), journal);
  } catch (failure) {
    throw describeUnfinished(journal.containers[0], failure);
  }
  const kept = await listKept(readSubject(journal));
  for (const folder of kept) host.report({ kind: 'notice', text: `Kept: ${toPrintable(folder)}` });
  return kept;
}

/** Lists the volumes and other folders with data. A folder of `/run` disappears at the next boot. */
async function listKept({ name, volumes, ownFolders }: UninstallSubject): Promise<readonly string[]> {
  const roots: string[] = [];
  for (const { root } of volumes) if ((await readOwner(root, name)) === 'own') roots.push(root);
  const others: string[] = [];
  for (const folder of ownFolders) {
    const holdsVolumes = roots.some((root) => dirname(root) === folder);
    if (!holdsVolumes && !folder.startsWith('/run/') && (await isFolder(folder))) others.push(folder);
  }
  return [...roots, ...others];
}

function describeUnfinished(name: string, failure: unknown): unknown {
  if (!(failure instanceof AtomicError)) return failure;
  const hint = `Remove the cause and repeat the command, or run \`atomic recover\`.`;
  return rewordError(failure, `uninstalling ${name} is not finished: ${failure.message}`, hint);
}

async function isAnythingThere(host: Host, name: string): Promise<boolean> {
  return (
    (await readContainer(host, name)).kind !== 'absent' ||
    (await hasOwnUnits(host, name)) ||
    (await isOwnTmpfiles(host, name))
  );
}

async function planUninstall(host: Host, name: string, data: DataChoice): Promise<Journal> {
  const state = await readContainer(host, name);
  const record = state.kind === 'installed' ? state.record : undefined;
  const volumes = await planVolumeSteps(name, record, data);
  const isOnlyData = data === 'remove' && volumes.length > 0;
  if (!isOnlyData && !(await isAnythingThere(host, name))) throw await buildContainerNotFound(host, name);
  await requireNotShown(host, name);
  const hasService = record?.hasContainerService ?? (await hasOwnUnits(host, name));
  // The mounts of a service may end with it. Without a service they would stay for ever.
  if (!hasService) await requireNoMountsOf(host, name);
  await requireWritable(host.locations.units);
  await requireWritable(host.locations.tmpfiles);
  const hostFolders = record?.hostFiles.paths.map((path) => dirname(path)) ?? [];
  for (const folder of new Set(hostFolders)) await requireWritable(folder);
  const wasActive = hasService && isActive(await readUnitState(host, `${name}.service`));
  const running = wasActive ? await listRunningUnits(host, listUnitsOf(name)) : [];
  const ownFolders = record === undefined ? [] : listOwnFolders(name, { ...record, volumes: [] });
  const runtime = record?.runtime ?? null;
  return buildUninstallJournal({ name, hasService, runtime, wasActive, volumes, ownFolders }, running);
}

/** Nothing may be mounted in volumes that are removed, or the removal would stop halfway. */
async function planVolumeSteps(
  name: string,
  record: DeploymentRecord | undefined,
  data: DataChoice,
): Promise<readonly Step<'remove-volumes'>[]> {
  const root = await findVolumes(name, record?.values);
  if (root === undefined) return [];
  const parent = dirname(root);
  const isParentOwn = record === undefined ? isLeftBy(parent, name) : !record.foreignFolders.includes(parent);
  if (data === 'keep') return [buildTidying(name, { root, isParentOwn }, record?.volumes ?? [])];
  await requireNoMounts(root);
  return [buildPurge(name, { root, isParentOwn })];
}

async function requireNoMountsOf(host: Host, name: string): Promise<void> {
  for (const number of deploymentNumbers) {
    await requireNoMounts(buildDeploymentFolder(host.locations, name, number));
  }
}
