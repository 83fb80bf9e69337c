import { adviceForExistingName, parseContainerName } from '../core/container-name.ts';
import { AtomicError } from '../core/errors.ts';
import type { Host } from '../host/host.ts';
import { throwIfInterrupted } from '../host/interruption.ts';
import { requireNoMounts } from '../host/remove-tree.ts';
import { isGeneratedFor } from './activate.ts';
import { withContainerLock } from './container-lock.ts';
import { buildContainerPaths, buildDeploymentFolder, deploymentNumbers } from './deployment.ts';
import { finishUninstall, type UninstallJournal } from './finish-uninstall.ts';
import { findJournal, writeJournal } from './journal.ts';
import { requireNotShown } from './mounted-deployments.ts';
import { requireSystemAccess } from './preconditions.ts';
import { listContainerNames, readContainer } from './read-container.ts';
import { recoverOthers } from './recover.ts';

/** More names than this are not read. */
const maxNamesInHint = 10;

/**
 * Uninstalls a container: its service, unit, tmpfiles.d file and deployments; the image stays (compatibility 1.5, 4.11).
 * A damaged or half-installed container can be uninstalled too.
 *
 * @throws NOT_ROOT, NO_SYSTEMD, BAD_VALUE, CONTAINER_NOT_FOUND, DEPLOYMENT_IN_USE, and what `finishUninstall` throws
 */
export async function uninstallContainer(host: Host, name: string): Promise<void> {
  await requireSystemAccess(host, 'uninstall');
  parseContainerName(name, adviceForExistingName);
  await recoverOthers(host, name);
  await withContainerLock(host, name, 'uninstall', async () => {
    // An interrupted install needs no recovery first: everything it left goes too.
    const pending = await findJournal(host, name);
    const journal =
      pending?.operation === 'uninstall' ? pending : await planUninstall(host, name, pending !== undefined);
    throwIfInterrupted(host);
    await writeJournal(host, journal);
    await finishUninstall(host, journal);
  });
}

async function planUninstall(host: Host, name: string, isInterrupted: boolean): Promise<UninstallJournal> {
  const state = await readContainer(host, name);
  const { unit, tmpfiles } = buildContainerPaths(host.locations, name);
  const hasUnit = await isGeneratedFor(unit, name);
  if (state.kind === 'absent' && !isInterrupted && !hasUnit && !(await isGeneratedFor(tmpfiles, name))) {
    throw await buildNotFound(host, name);
  }
  await requireNotShown(host, name);
  const record = state.kind === 'installed' ? state.record : undefined;
  const hasService = record?.hasContainerService ?? hasUnit;
  // With a service the mounts may be its own and end with it; without one they would never go away.
  if (!hasService) await requireNoMountsOf(host, name);
  return { operation: 'uninstall', container: name, hasService, runtime: record?.runtime };
}

async function requireNoMountsOf(host: Host, name: string): Promise<void> {
  for (const number of deploymentNumbers) {
    await requireNoMounts(buildDeploymentFolder(host.locations, name, number));
  }
}

async function buildNotFound(host: Host, name: string): Promise<AtomicError> {
  const names = await listContainerNames(host);
  const shown = names.slice(0, maxNamesInHint).join(', ');
  const more = names.length > maxNamesInHint ? ', ...' : '';
  return new AtomicError('CONTAINER_NOT_FOUND', `System container '${name}' is not installed`, {
    hint: names.length === 0 ? 'No system container is installed.' : `Installed are: ${shown}${more}`,
    details: { name },
  });
}
