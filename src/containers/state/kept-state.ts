/**
 * The state of a container, its own folder `${STATE_DIRECTORY}/NAME`, as it was when a deployment was last active:
 *
 * ```
 * NAME.N/state/data       the folder; without `data` there was none
 * NAME.N/state.copy       a copy that is being made; the folder itself is unchanged
 * NAME.N/state.new/data   the folder, which was moved here; complete, and no longer in its place
 * NAME.N/state.back/data  the state that is being restored; the folder in its place was removed before
 * ```
 *
 * The active deployment has none of them, so each step can be repeated after a crash at any point of it. A deployment is
 * removed with its state.
 */
import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isErrno, withFileErrors } from '../../base/file-error.ts';
import { FolderMode } from '../../base/file-mode.ts';
import { syncDirectory, syncFilesystemOf } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { runProgram } from '../../host/run-program.ts';
import { buildDeploymentFolder, type DeploymentNumber } from '../deployment.ts';
import { isFolder } from '../read-container.ts';

interface KeptState {
  readonly deployment: string;
  readonly complete: string;
  readonly copy: string;
  readonly moved: string;
  readonly restored: string;
}

function buildKeptState({ locations }: Host, name: string, number: DeploymentNumber): KeptState {
  const deployment = buildDeploymentFolder(locations, name, number);
  const complete = `${deployment}/state`;
  return {
    ...{ deployment, complete, copy: `${complete}.copy` },
    ...{ moved: `${complete}.new`, restored: `${complete}.back` },
  };
}

/** Whether the deployment has a state that a rollback to it restores. */
export async function hasKeptState(host: Host, name: string, number: DeploymentNumber): Promise<boolean> {
  return isFolder(buildKeptState(host, name, number).complete);
}

/** Removes what the active deployment has only when another program has changed the symlink. */
export async function dropStaleState(host: Host, name: string, active: DeploymentNumber): Promise<void> {
  const { complete, copy, moved, restored } = buildKeptState(host, name, active);
  for (const folder of [complete, copy, moved, restored]) await removeTree(folder);
}

/**
 * Copies the state of a stopped service, before the service of the next deployment changes it.
 *
 * @param folder the state folder
 * @param number the deployment to which the state belongs
 */
export async function copyState(
  host: Host,
  name: string,
  { folder, number }: { readonly folder: string; readonly number: DeploymentNumber },
): Promise<void> {
  const { deployment, complete, copy } = buildKeptState(host, name, number);
  await removeTree(copy);
  await createPrivateFolder(copy);
  if (await isFolder(folder)) await copyFolder(host, folder, `${copy}/data`);
  await syncFilesystemOf(copy);
  await withFileErrors(`create ${complete}`, () => rename(copy, complete));
  await syncDirectory(deployment);
}

interface StateChange {
  readonly container: string;
  /** The state folder. */
  readonly folder: string;
  /** The deployment whose state is restored. */
  readonly source: DeploymentNumber;
  /** The deployment that keeps the present state; null when the present state is of no use. */
  readonly keeper: DeploymentNumber | null;
}

/** Restores the state of deployment `source`, if it is complete. Does nothing when it is restored already. */
export async function restoreState(host: Host, change: StateChange): Promise<void> {
  const { container: name, folder, source, keeper } = change;
  const kept = buildKeptState(host, name, source);
  await removeTree(kept.copy);
  if (await isFolder(kept.restored)) return finishRestore(host, kept, folder);
  if (!(await isFolder(kept.complete))) return undoMove(host, kept, folder);
  if (keeper !== null) {
    const other = buildKeptState(host, name, keeper);
    if (await isFolder(other.restored)) await finishRestore(host, other, folder);
    if (!(await isFolder(other.complete))) await keepByMove(host, other, folder);
  }
  await removeTree(folder);
  await withFileErrors(`restore ${folder}`, () => rename(kept.complete, kept.restored));
  await syncDirectory(kept.deployment);
  await finishRestore(host, kept, folder);
}

/** The state was about to be kept, and nothing else was done. */
async function undoMove(host: Host, { moved }: KeptState, folder: string): Promise<void> {
  const data = `${moved}/data`;
  if (await isFolder(data)) {
    await removeTree(folder);
    await moveFolder(host, data, folder);
  }
  await removeTree(moved);
}

async function keepByMove(host: Host, { deployment, complete, moved }: KeptState, folder: string) {
  if (!(await isFolder(moved))) await createPrivateFolder(moved);
  if (await isFolder(folder)) await moveFolder(host, folder, `${moved}/data`);
  await withFileErrors(`create ${complete}`, () => rename(moved, complete));
  await syncDirectory(deployment);
}

async function finishRestore(host: Host, { restored, deployment }: KeptState, folder: string): Promise<void> {
  const data = `${restored}/data`;
  if (await isFolder(data)) await moveFolder(host, data, folder);
  await removeTree(restored);
  await syncDirectory(deployment);
}

/** Moves a folder, also to another filesystem. When the target exists, it is complete. */
async function moveFolder(host: Host, from: string, to: string): Promise<void> {
  if (!(await isFolder(to)) && !(await renameFolder(from, to))) {
    const temporary = `${dirname(to)}/.${basename(to)}.atomic-new`;
    await removeTree(temporary);
    await copyFolder(host, from, temporary);
    await syncFilesystemOf(temporary);
    await withFileErrors(`create ${to}`, () => rename(temporary, to));
  }
  await syncDirectory(dirname(to));
  await removeTree(from);
  await syncDirectory(dirname(from));
}

/** @returns false when the target is on another filesystem */
async function renameFolder(from: string, to: string): Promise<boolean> {
  return withFileErrors(`rename ${from}`, async () => {
    try {
      await rename(from, to);
      return true;
    } catch (error) {
      if (isErrno(error, 'EXDEV')) return false;
      throw error;
    }
  });
}

/** With owners, modes, times, extended attributes and hard links; blocks are shared where the filesystem can. */
async function copyFolder(host: Host, from: string, to: string): Promise<void> {
  await runProgram(host, ['cp', '--archive', '--reflink=auto', '--no-target-directory', '--', from, to]);
}

async function createPrivateFolder(path: string): Promise<void> {
  await withFileErrors(`create folder ${path}`, () => mkdir(path, { mode: FolderMode.private }));
}
