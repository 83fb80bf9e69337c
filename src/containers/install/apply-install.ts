/** Carries out the changes of an install, in an order in which a crash at any point can be recovered. */
import { rename } from 'node:fs/promises';
import { wrapError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import { shieldFromInterruption, throwIfInterrupted } from '../../host/interruption.ts';
import { registerCheckouts } from '../../store/checkout/checkout-folders.ts';
import { setActiveDeployment } from '../active-deployment.ts';
import type { InstallPlan } from '../container.ts';
import { buildDeploymentFolder, type DeploymentNumber } from '../deployment.ts';
import { type ExchangeResult, reportPlacedFiles } from '../hostfiles/exchange-host-files.ts';
import { removeJournal, writeJournal } from '../journal.ts';
import type { Journal } from '../journal-format.ts';
import { checkHostFolders, listHostWrites } from '../prepare/check-host-folders.ts';
import { requireUnclaimedPaths } from '../prepare/host-paths.ts';
import type { PreparedInstall } from '../prepare/prepare-install.ts';
import { goBack } from '../recovery/walk-journal.ts';
import { buildRollbackFailed } from '../rollback-failed.ts';
import {
  createDeclaredPaths,
  placeHostFiles,
  registerDeployment,
  reportEnabled,
} from '../service/activate.ts';
import { listPathsToCreate } from '../service/created-paths.ts';
import { type DeclaredPaths, noPaths, undoDeclaredPaths } from '../service/declared-paths.ts';
import { buildDeployment } from './build-deployment.ts';
import { buildInstallJournal } from './install-journal.ts';

/** The number of the first deployment; an install makes only this one. */
const number: DeploymentNumber = 0;

/**
 * Installs a container. The caller holds its lock and has checked that none of its files exist.
 *
 * After success, the container is installed, synced, and known to systemd. After a failure or an interruption, no file
 * of it is left. After a crash the journal exists: `recover.ts` undoes the install when the symlink does not exist yet,
 * and finishes it otherwise.
 *
 * @throws NO_SPACE, READ_ONLY, CROSS_DEVICE, COMMAND_FAILED, INTERRUPTED; ROLLBACK_FAILED when undoing failed too
 */
export async function applyInstall(host: Host, prepared: PreparedInstall): Promise<void> {
  const { plan } = prepared;
  const { name } = plan;
  throwIfInterrupted(host);
  await checkHostFolders(listHostWrites(plan));
  const journal = buildInstallJournal(name, number, plan.newVolumes);
  await writeJournal(host, journal);
  let declared = noPaths;
  let placed: ExchangeResult | undefined;
  await undoOnFailure(host, journal, noPaths, async () => {
    await buildDeployment(host, prepared, number);
    // After the checkout it is certain that the folder and the repository are on one filesystem.
    await registerCheckouts(host);
    await commitDeployment(host, plan);
    // Two installs at the same time do not know each other's plans.
    await requireUnclaimedPaths(host, name, plan.record.hostFiles.paths);
    placed = await placeHostFiles(host, name, plan.deployment);
    await registerDeployment(host, name, plan.deployment);
    const text = plan.files.find(({ role }) => role === 'tmpfiles')?.content ?? '';
    declared = { text, missing: await listPathsToCreate(text) };
  });
  await undoOnFailure(host, journal, declared, () => createDeclaredPaths(host, name, plan.deployment));
  await reportEnabled(host, name, plan.deployment);
  await removeJournal(host, journal);
  if (placed !== undefined) reportPlacedFiles(host, plan, placed);
}

/** @param begun the lines of the tmpfiles.d file that may have run when the action fails */
async function undoOnFailure(
  host: Host,
  journal: Journal,
  begun: DeclaredPaths,
  action: () => Promise<void>,
): Promise<void> {
  try {
    await action();
  } catch (error) {
    await undoAfterFailure(host, journal, begun, error);
    throw wrapError(error, `installing ${journal.containers[0]}`);
  }
}

/** The commit point is the second rename: from there on the container exists. */
async function commitDeployment(host: Host, plan: InstallPlan): Promise<void> {
  const built = buildDeploymentFolder(host.locations, plan.name, number, 'new');
  await withFileErrors(`create ${plan.deployment}`, () => rename(built, plan.deployment));
  await setActiveDeployment(host, plan.name, plan.deployment);
}

async function undoAfterFailure(
  host: Host,
  journal: Journal,
  begun: DeclaredPaths,
  failure: unknown,
): Promise<void> {
  const shielded = shieldFromInterruption(host);
  const [name] = journal.containers;
  try {
    await goBack(shielded, journal);
    await undoDeclaredPaths(shielded, name, begun);
  } catch (undoFailure) {
    throw buildRollbackFailed(`installing ${name}`, failure, undoFailure);
  }
}
