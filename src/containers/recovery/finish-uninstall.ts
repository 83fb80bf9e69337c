/**
 * Finishes an uninstall after its commit point, which is the removal of the symlink. Each step may be repeated: after a
 * crash all steps run again.
 */
import { readFile, rename } from 'node:fs/promises';
import { withFileErrors } from '../../base/file-error.ts';
import {
  removeFile,
  syncDirectory,
  syncFilesystemsOf,
  temporaryPath,
} from '../../host/files/durable-files.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { buildCommandFailed, captureProgram, runVisibly } from '../../host/run-program.ts';
import { removeStaleState } from '../../host/runtime/runtime.ts';
import { isActive, readUnitState, reloadCommand } from '../../host/systemd/systemctl.ts';
import { buildRemoveCommand } from '../../host/systemd/systemd-tmpfiles.ts';
import { listEmptiedFolders } from '../../host/systemd/tmpfiles-lines.ts';
import { buildContainerPaths, buildDeploymentFolder, deploymentNumbers } from '../deployment.ts';
import { forgetHold } from '../hold.ts';
import { exchangeHostFiles, reportLeftFiles } from '../hostfiles/exchange-host-files.ts';
import { readHostFilesRecords } from '../hostfiles/read-staged-files.ts';
import { type Journal, removeJournal } from '../journal.ts';
import { listFoldersOfContainer } from '../list-deployments.ts';
import { findLinkTarget, isFolder } from '../read-container.ts';
import { forgetRefused } from '../refused-image.ts';
import { bringsUnits } from '../render/hostfiles/host-path-rules.ts';
import { disableService, startServiceAgain, stopOrphan } from '../service/container-service.ts';
import { removeCreatedFolders, syncDeclaredPaths } from '../service/created-paths.ts';
import { isOwnTmpfiles, isOwnUnit } from '../service/own-files.ts';
import { removeLink } from './undo-install.ts';

export type UninstallJournal = Journal & { readonly operation: 'uninstall' };

/**
 * Whether the uninstall is past its commit point. A container that had no symlink before is damaged, and is removed.
 */
export async function isUninstallCommitted(host: Host, journal: UninstallJournal): Promise<boolean> {
  if (journal.wasActive === undefined) return true;
  return (await findLinkTarget(buildContainerPaths(host.locations, journal.container).link)) === undefined;
}

/** The commit point: the container is no longer listed, and after a crash recovery removes it. */
export async function commitUninstall(host: Host, name: string): Promise<void> {
  const { link } = buildContainerPaths(host.locations, name);
  const target = await findLinkTarget(link);
  if (target !== undefined) await removeLink(link, target);
}

/** Undoes the steps before the commit point. May be repeated. */
export async function revertUninstall(host: Host, journal: UninstallJournal): Promise<void> {
  const { container: name, hasService, wasActive, running } = journal;
  if (hasService && wasActive === true) await startServiceAgain(host, name, running);
}

/**
 * Removes all files of a container whose service has ended. The caller holds its lock. The removals are synced, on each
 * filesystem, before the journal is removed.
 *
 * @throws DEPLOYMENT_IN_USE, COMMAND_FAILED, file errors; then the journal stays, and recovery does the remaining steps
 */
export async function finishUninstall(host: Host, journal: UninstallJournal): Promise<void> {
  const { container: name, hasService } = journal;
  const { units, tmpfiles, checkouts } = host.locations;
  await commitUninstall(host, name);
  await syncDirectory(checkouts);
  await retireDeployments(host, name);
  if (hasService) await disableService(host, name);
  await removeHostFiles(host, name);
  await removeUnit(host, journal);
  await removeTmpfiles(host, name);
  await syncFilesystemsOf([units, tmpfiles]);
  await removeDeployments(host, name);
  await syncDirectory(checkouts);
  await forgetRefused(host, name);
  await forgetHold(host, name);
  await removeJournal(host, name);
}

/** Lists ignore the new names. The copies in the deployments still show which files of the host belong to atomic. */
async function retireDeployments(host: Host, name: string): Promise<void> {
  for (const number of deploymentNumbers) {
    const folder = buildDeploymentFolder(host.locations, name, number);
    if (!(await isFolder(folder))) continue;
    const old = buildDeploymentFolder(host.locations, name, number, 'old');
    await removeTree(old);
    await withFileErrors(`rename ${folder}`, () => rename(folder, old));
  }
}

/** Called before systemd reads its units again for the last time. */
async function removeHostFiles(host: Host, name: string): Promise<void> {
  const folders = deploymentNumbers.map((number) =>
    buildDeploymentFolder(host.locations, name, number, 'old'),
  );
  const records = await readHostFilesRecords(host, folders, name);
  const result = await exchangeHostFiles(host, records, undefined);
  reportLeftFiles(host, result);
  if (records.some(bringsUnits)) await runVisibly(host, reloadCommand);
}

async function removeUnit(host: Host, { container: name, hasService, runtime }: UninstallJournal) {
  const { unit } = buildContainerPaths(host.locations, name);
  await removeFile(temporaryPath(unit));
  const isOurs = await isOwnUnit(host, name);
  if (isOurs) await removeFile(unit);
  else await reportForeignFile(host, unit);
  // Needed also without the file: a crash may have come between its removal and this step.
  if (!isOurs && !hasService) return;
  await runVisibly(host, reloadCommand);
  const state = await readUnitState(host, name);
  // The host has its own file of this name, or a person has edited that of atomic.
  if (state.loadState !== 'not-found') return;
  if (isActive(state)) {
    await stopOrphan(host, name);
    if (runtime !== undefined) await removeStaleState(host, runtime, name);
  }
  // systemd remembers a failed service after its unit is gone. `reset-failed` fails when there is nothing to
  // forget.
  await captureProgram(host, ['systemctl', 'reset-failed', `${name}.service`]);
}

/** A folder below `/run` is emptied and removed only when `info` records that the install has created it. */
async function removeTmpfiles(host: Host, name: string): Promise<void> {
  const { tmpfiles } = buildContainerPaths(host.locations, name);
  await removeFile(temporaryPath(tmpfiles));
  if (!(await isOwnTmpfiles(host, name))) return reportForeignFile(host, tmpfiles);
  const text = await withFileErrors(`read ${tmpfiles}`, () => readFile(tmpfiles, 'utf8'));
  const created = await listFoldersOfContainer(host, name);
  const spared = listEmptiedFolders(text).filter(
    (path) => path.startsWith('/run/') && !created.includes(path),
  );
  await runTmpfilesRemove(host, tmpfiles, spared);
  await removeCreatedFolders(host, tmpfiles, created);
  // Before the file that names them is removed.
  await syncDeclaredPaths(text);
  await removeFile(tmpfiles);
}

/** A failed removal is reported, and the uninstall goes on (compatibility U-01). */
async function runTmpfilesRemove(host: Host, tmpfiles: string, spared: readonly string[]): Promise<void> {
  host.report({ kind: 'command', argv: buildRemoveCommand(tmpfiles) });
  const result = await captureProgram(host, buildRemoveCommand(tmpfiles, spared));
  if (result.exitCode !== 0) host.report({ kind: 'warning', text: buildCommandFailed(result).message });
}

async function reportForeignFile(host: Host, path: string): Promise<void> {
  if (!(await isNameTaken(path))) return;
  host.report({ kind: 'notice', text: `Will not delete ${path} as it was manually modified.` });
}

async function removeDeployments(host: Host, name: string): Promise<void> {
  const { newLink } = buildContainerPaths(host.locations, name);
  const target = await findLinkTarget(newLink);
  if (target !== undefined) await removeLink(newLink, target);
  for (const number of deploymentNumbers) {
    await removeTree(buildDeploymentFolder(host.locations, name, number, 'old'));
    await removeTree(buildDeploymentFolder(host.locations, name, number, 'new'));
  }
}
