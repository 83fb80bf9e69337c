/**
 * Repairs containers: brings back what is missing or changed, from the copies in their deployments and from the store.
 *
 * First the files of the deployments, each by one rename, without a journal: the next repair does the rest after a crash. Then
 * the volumes and the files of the host, as steps of a journal: recovery removes incomplete volumes, and finishes the steps.
 */
import { AtomicError, wrapError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { shieldFromInterruption, throwIfInterrupted } from '../../host/interruption.ts';
import type { StaleMount } from '../../image/verified-image.ts';
import { letUsersReach } from '../../store/access/private-folders.ts';
import { setActiveDeployment } from '../active-deployment.ts';
import { withContainerLock } from '../container-lock.ts';
import { buildDeploymentPaths } from '../deployment.ts';
import { removeJournal, replaceJournal, writeJournal } from '../journal.ts';
import type { Journal } from '../journal-format.ts';
import type { InstalledDeployment } from '../list-deployments.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { isFolder } from '../read-container.ts';
import { recoverContainer, recoverOthers } from '../recovery/recover.ts';
import { goBack } from '../recovery/walk-journal.ts';
import { type NewVolumes, noNewVolumes } from '../render/config/image-volumes.ts';
import { bringsUnits } from '../render/hostfiles/host-path-rules.ts';
import { buildRollbackFailed } from '../rollback-failed.ts';
import type { Step } from '../step.ts';
import { requireFreeKept } from '../steps/restore-file.ts';
import { runSteps } from '../steps/run-steps.ts';
import { fillVolumes } from '../volumes/fill-volumes.ts';
import { buildVolumeSteps } from '../volumes/remove-volumes.ts';
import { selectDeployments } from './deployment-drift.ts';
import type { Drift, DriftRepair } from './drift.ts';
import { chooseContainers, findDrift, findOrphans, surveyContainers } from './find-drift.ts';
import { planLostVolumes } from './host-drift.ts';
import { needsRelink, relinkContainer } from './relink-container.ts';

/**
 * Repairs containers one after another. A failure of one is a result, and the others are still repaired.
 *
 * @param written names; empty for all containers. Files that a person has edited are replaced only for names
 * @throws NOT_ROOT, NO_SYSTEMD, BAD_VALUE, CONTAINER_NOT_FOUND, INTERRUPTED
 */
export async function repairContainersOf(
  host: Host,
  written: readonly string[],
): Promise<readonly DriftRepair[]> {
  await requireSystemAccess(host, 'repair');
  const names = await chooseContainers(host, written);
  await recoverOthers(host, ...names);
  const repairs: DriftRepair[] = [];
  for (const name of names) {
    repairs.push(
      await withContainerLock(host, name, 'containers verify --repair', () =>
        repairContainer(host, name, written.length > 0),
      ),
    );
  }
  if (written.length > 0) return repairs;
  const orphans = await findOrphans(host, names);
  return [
    ...repairs,
    ...orphans.map(({ name, drifts }) => ({
      ...{ name, before: drifts, after: drifts, failure: undefined, staleMounts: [] },
    })),
  ];
}

async function repairContainer(host: Host, name: string, isNamed: boolean): Promise<DriftRepair> {
  const look = async () => findDrift(host, name, await surveyContainers(host));
  let before: readonly Drift[] = [];
  let failure: string | undefined;
  let staleMounts: readonly StaleMount[] = [];
  try {
    await recoverContainer(host, name);
    before = await look();
    if (await restoreLink(host, name, before)) before = [...before, ...(await look())];
    if (needsRelink(before)) staleMounts = await relinkContainer(host, name);
    const own = selectDeployments(host, name, (await surveyContainers(host)).subjects);
    const active = own.find(({ deployment }) => deployment.isActive)?.deployment;
    if (active !== undefined) await restoreFiles(host, active, before, isNamed);
    // A backup may have lost the access lists.
    for (const { deployment } of own) await letUsersReach(host, deployment.folder);
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
    failure = error.message;
  }
  return { name, before, after: await look(), failure, staleMounts };
}

/** Of two deployments, it is not known which one was active. */
async function restoreLink(host: Host, name: string, drifts: readonly Drift[]): Promise<boolean> {
  if (!drifts.some(({ part, state }) => part === 'symlink' && state === 'missing')) return false;
  const [only, other] = selectDeployments(host, name, (await surveyContainers(host)).subjects);
  if (only === undefined || other !== undefined) return false;
  await setActiveDeployment(host, name, only.deployment.folder);
  return true;
}

async function restoreFiles(
  host: Host,
  deployment: InstalledDeployment,
  drifts: readonly Drift[],
  isNamed: boolean,
): Promise<void> {
  const { name, folder, record } = deployment;
  const paths = buildDeploymentPaths(folder, name);
  const hasLostVolume = drifts.some(({ part, state }) => part === 'volume' && state === 'missing');
  // A volume has the content and the owner that the image has there.
  const canMakeVolumes = hasLostVolume && (await isFolder(paths.rootfs));
  const volumes = canMakeVolumes ? await planLostVolumes(host, record, paths) : noNewVolumes;
  const rest = planSteps(deployment, drifts, isNamed);
  for (const step of rest) if (step.step === 'restore') await requireFreeKept(host, step);
  if (rest.length === 0 && volumes.volumes.length === 0) return;
  throwIfInterrupted(host);
  const journal: Journal = {
    operation: 'repair',
    containers: [name],
    commit: { phase: 'building' },
    back: buildVolumeSteps(name, volumes),
    rest,
  };
  await writeJournal(host, journal);
  await makeVolumes(host, journal, paths.rootfs, volumes);
  const settled: Journal = { ...journal, commit: { phase: 'settled' }, back: [] };
  await replaceJournal(host, journal, settled);
  const shielded = shieldFromInterruption(host);
  try {
    await runSteps(shielded, rest);
  } finally {
    // Each step alone is an improvement: after a failure the others are left for a person.
    await removeJournal(shielded, settled);
  }
}

async function makeVolumes(host: Host, journal: Journal, rootfs: string, volumes: NewVolumes): Promise<void> {
  const [name] = journal.containers;
  try {
    await fillVolumes(host, name, rootfs, volumes);
  } catch (failure) {
    try {
      await goBack(shieldFromInterruption(host), journal);
    } catch (undoFailure) {
      throw buildRollbackFailed(`repairing ${name}`, failure, undoFailure);
    }
    throw wrapError(failure, `repairing ${name}`);
  }
}

/** Plans the steps for what differs outside the root filesystems, in their order. */
function planSteps(
  { name: container, number, record }: InstalledDeployment,
  drifts: readonly Drift[],
  isNamed: boolean,
): readonly Step[] {
  const isRestored = ({ state }: Drift) => state === 'missing' || (state === 'edited' && isNamed);
  const restores = (['config', 'tmpfiles', 'unit'] as const).flatMap((file) =>
    drifts
      .filter((drift) => drift.part === file && isRestored(drift))
      .map((drift) => ({ step: 'restore' as const, container, number: drift.deployment ?? number, file })),
  );
  const isMissing = (wanted: Drift['part']) =>
    drifts.some(({ part, state }) => part === wanted && state === 'missing');
  const writesUnit = restores.some(({ file }) => file === 'unit');
  const writesPaths = restores.some(({ file }) => file === 'tmpfiles') || isMissing('folder');
  const final = { number, state: 'final' } as const;
  const reloaded = writesUnit ? [{ container, from: final, to: number, isEnabled: false }] : [];
  const reloads = writesUnit || (isMissing('host file') && bringsUnits(record.hostFiles));
  return [
    ...(isMissing('host file')
      ? [{ step: 'host-files' as const, container, from: [final], to: number }]
      : []),
    ...restores,
    // Whether it was enabled is lost with the unit: it becomes enabled, as an install does.
    ...(isMissing('unit') ? [{ step: 'enable' as const, container }] : []),
    ...(reloads ? [{ step: 'reload' as const, units: reloaded }] : []),
    ...(writesPaths ? [{ step: 'create-paths' as const, container, number }] : []),
  ];
}
