/** The changes of an uninstall, each of which may be repeated: a crash anywhere is followed by all of them again. */
import { readFile, rename } from 'node:fs/promises';
import { AtomicError } from '../core/errors.ts';
import { removeFile, syncDirectory, temporaryPath } from '../host/durable-files.ts';
import { isNameTaken } from '../host/existing-paths.ts';
import { withFileErrors } from '../host/file-error.ts';
import type { Host } from '../host/host.ts';
import { shieldFromInterruption } from '../host/interruption.ts';
import { removeTree, requireNoMounts } from '../host/remove-tree.ts';
import { captureProgram, runProgram, runVisibly } from '../host/run-program.ts';
import { removeStaleState } from '../host/runtime.ts';
import { buildDisableNowCommand, readUnitStates, reloadCommand, withoutReload } from '../host/systemctl.ts';
import { buildRemoveCommand } from '../host/systemd-tmpfiles.ts';
import { isGeneratedFor } from './activate.ts';
import { listVolatileFolders, removeCreatedPaths } from './created-paths.ts';
import { buildContainerPaths, buildDeploymentFolder, deploymentNumbers } from './deployment.ts';
import { type Journal, removeJournal } from './journal.ts';
import { requireNotShown } from './mounted-deployments.ts';
import { findLinkTarget, isFolder } from './read-container.ts';
import { removeLink } from './undo-install.ts';

export type UninstallJournal = Journal & { readonly operation: 'uninstall' };

/**
 * Uninstalls a container whose journal is written. The caller holds its lock.
 *
 * Until the service has ended nothing is removed: a failure or an interruption there takes the journal back, the
 * container is whole, and its service is stopped and disabled. After that there is only forward.
 *
 * @throws UNIT_FAILED when the service does not stop, DEPLOYMENT_IN_USE when something is mounted below a deployment,
 *   INTERRUPTED, COMMAND_FAILED, file errors
 */
export async function finishUninstall(host: Host, journal: UninstallJournal): Promise<void> {
  const name = journal.container;
  try {
    await endService(host, journal);
  } catch (error) {
    // Without the symlink an earlier run has begun to remove: that must go on later.
    if (await isNameTaken(buildContainerPaths(host.locations, name).link)) await removeJournal(host, name);
    throw error;
  }
  const shielded = shieldFromInterruption(host);
  await removeHostFiles(shielded, journal);
  await removeDeployments(shielded, name);
  await removeJournal(shielded, name);
}

async function endService(host: Host, journal: UninstallJournal): Promise<void> {
  const { container: name, hasService, runtime } = journal;
  const { unit } = buildContainerPaths(host.locations, name);
  if ((await isGeneratedFor(unit, name)) || (hasService && (await isNameTaken(unit)))) {
    await disableService(host, name);
  } else if (hasService) {
    await endServiceWithoutUnit(host, name);
  }
  if (runtime !== undefined) await removeStaleState(host, runtime, name);
  await requireNotShown(host, name);
  for (const number of deploymentNumbers) {
    await requireNoMounts(buildDeploymentFolder(host.locations, name, number));
  }
}

/** A failing `disable` is no reason to keep a container, a service that goes on running is. */
async function disableService(host: Host, name: string): Promise<void> {
  try {
    const command = buildDisableNowCommand(name);
    await runVisibly(host, command, withoutReload(command));
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'COMMAND_FAILED') throw error;
    const state = (await readUnitStates(host, [name])).get(name);
    if (state?.activeState === 'active' || state?.activeState === 'deactivating') {
      throw new AtomicError('UNIT_FAILED', `stop ${name}.service: ${error.message}`, {
        cause: error,
        hint: `Look at \`systemctl status ${name}\`, stop it and repeat the command.`,
      });
    }
    host.report({ kind: 'warning', text: error.message });
  }
}

/**
 * A person or a crash has removed the unit; its symlinks and its processes may still be there. A unit of the same name
 * that the host brings itself is left alone.
 */
async function endServiceWithoutUnit(host: Host, name: string): Promise<void> {
  await runProgram(host, reloadCommand);
  const state = (await readUnitStates(host, [name])).get(name);
  if (state?.loadState !== 'not-found') return;
  // Fails when there is no symlink to remove.
  await captureProgram(host, withoutReload(['systemctl', 'disable', name]));
  if (state.activeState !== 'inactive') await runVisibly(host, ['systemctl', 'stop', name]);
}

async function removeHostFiles(host: Host, { container: name, hasService }: UninstallJournal): Promise<void> {
  const { unit, tmpfiles } = buildContainerPaths(host.locations, name);
  await removeFile(temporaryPath(unit));
  await removeFile(temporaryPath(tmpfiles));
  const isUnitOurs = await isGeneratedFor(unit, name);
  if (isUnitOurs) await removeFile(unit);
  else await reportForeignFile(host, unit);
  // Also without the file: a crash may have come between its removal and this.
  if (isUnitOurs || hasService) {
    await runVisibly(host, reloadCommand);
    // systemd remembers a failed service after its unit is gone. It refuses when there is nothing to forget.
    await captureProgram(host, ['systemctl', 'reset-failed', `${name}.service`]);
  }
  if (await isGeneratedFor(tmpfiles, name)) {
    const folders = listVolatileFolders(await readFile(tmpfiles, 'utf8'));
    await runTmpfilesRemove(host, tmpfiles);
    await removeCreatedPaths(folders);
    await removeFile(tmpfiles);
  } else await reportForeignFile(host, tmpfiles);
}

/** What cannot be removed is reported, and the uninstall goes on (compatibility 4.11). */
async function runTmpfilesRemove(host: Host, tmpfiles: string): Promise<void> {
  try {
    await runVisibly(host, buildRemoveCommand(tmpfiles));
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'COMMAND_FAILED') throw error;
    host.report({ kind: 'warning', text: error.message });
  }
}

async function reportForeignFile(host: Host, path: string): Promise<void> {
  if (!(await isNameTaken(path))) return;
  host.report({ kind: 'notice', text: `Will not delete ${path} as it was manually modified.` });
}

/** The symlink goes first: from there on the container is not listed any more. */
async function removeDeployments(host: Host, name: string): Promise<void> {
  const { checkouts } = host.locations;
  const { link, newLink } = buildContainerPaths(host.locations, name);
  for (const path of [newLink, link]) {
    const target = await findLinkTarget(path);
    if (target !== undefined) await removeLink(path, target);
  }
  for (const number of deploymentNumbers) {
    const folder = buildDeploymentFolder(host.locations, name, number);
    const old = buildDeploymentFolder(host.locations, name, number, 'old');
    await removeTree(old);
    if (await isFolder(folder)) await withFileErrors(`rename ${folder}`, () => rename(folder, old));
    await removeTree(old);
    await removeTree(buildDeploymentFolder(host.locations, name, number, 'new'));
  }
  await syncDirectory(checkouts);
}
