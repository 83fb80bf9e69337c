/**
 * Finds out which of the folders with the name of a container belong to another program: `/var/lib/dpkg` of a container
 * `dpkg`. A folder that the container finds at its install is not its own, unless an earlier container of the same name
 * has left it: an uninstall marks the folders that it leaves. A lost mark makes the folder a privilege again.
 */
import { lstat } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { noPath, toFileError, tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { findFolderMark, markFolder } from '../../host/files/folder-mark.ts';
import type { Host } from '../../host/host.ts';
import { listNamedFolders } from '../consent/own-folders.ts';
import type { DeploymentRecord } from '../container.ts';
import { isFolder } from '../read-container.ts';

/**
 * @param previous the deployment that is updated: its folders are those of the new one
 * @returns the folders that do not belong to the container
 */
export async function listForeignFolders(
  name: string,
  values: DeploymentRecord['values'],
  previous: DeploymentRecord | undefined,
): Promise<readonly string[]> {
  const known = previous === undefined ? [] : listNamedFolders(name, previous.values);
  const foreign: string[] = [];
  for (const folder of listNamedFolders(name, values)) {
    const isForeign = known.includes(folder)
      ? previous?.foreignFolders.includes(folder)
      : isConfiguration(folder) || (await belongsToOther(folder, name));
    if (isForeign) foreign.push(folder);
  }
  return foreign;
}

/** Programs of the host read folders there, with any name. */
function isConfiguration(folder: string): boolean {
  return /^\/(etc|usr)\//.test(folder);
}

/** A symlink and a file belong to another program, too. */
async function belongsToOther(folder: string, name: string): Promise<boolean> {
  const found = await withFileErrors(`look at ${folder}`, () =>
    tolerateMissingAsync(() => lstat(folder), noPath),
  );
  return found !== undefined && !(found.isDirectory() && isLeftBy(folder, name));
}

/** Whether an uninstall of this container has left the folder. */
export function isLeftBy(folder: string, name: string): boolean {
  return findFolderMark(folder) === name;
}

/** Marks the folders that an uninstall leaves. */
export async function markFolders(host: Host, name: string, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    try {
      if (await isFolder(folder)) markFolder(folder, name);
    } catch (error) {
      // On a read-only filesystem, for example: the uninstall must not wait for it.
      const failure = toFileError(error, `look at ${folder}`);
      if (!(failure instanceof AtomicError)) throw failure;
      const text = `${failure.message}; a later ${name} will ask for this folder as for one of another program`;
      host.report({ kind: 'warning', text });
    }
  }
}
