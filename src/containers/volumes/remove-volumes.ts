/** Removes volumes that an undone operation has made, and those that a person gives up. */
import { readdir, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withFileErrors } from '../../base/file-error.ts';
import { syncFilesystemsOf } from '../../host/files/durable-files.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import { removeFolderIfEmpty, removeTree, requireNoMounts } from '../../host/files/remove-tree.ts';
import type { NewVolumes } from '../render/config/image-volumes.ts';
import type { Step } from '../step.ts';
import { markerOf, readOwner, unfinishedOf } from './volume-folders.ts';

/** The step that undoes an operation that makes volumes. */
export function buildVolumeSteps(
  container: string,
  { root, volumes, parents }: NewVolumes,
): readonly Step<'remove-volumes'>[] {
  if (volumes.length === 0) return [];
  const folders = volumes.map(({ folder }) => folder);
  return [{ step: 'remove-volumes', container, root, folders, parents }];
}

/** The folder of the volumes of a container, and whether the folder above it belongs to the container, too. */
interface VolumesFolder {
  readonly root: string;
  readonly isParentOwn: boolean;
}

/** The step that removes the volumes of a container, with everything in them. */
export function buildPurge(container: string, { root, isParentOwn }: VolumesFolder): Step<'remove-volumes'> {
  const parents = isParentOwn ? [dirname(root)] : [];
  return { step: 'remove-volumes', container, root, folders: [root], parents };
}

/**
 * The step that removes volumes in which there is nothing.
 *
 * @param volumes paths in the container
 */
export function buildTidying(
  container: string,
  { root, isParentOwn }: VolumesFolder,
  volumes: readonly string[],
): Step<'remove-volumes'> {
  const parents = new Set([...(isParentOwn ? [dirname(root)] : []), root]);
  for (const path of volumes) {
    for (let folder = `${root}${path}`; folder !== root; folder = dirname(folder)) parents.add(folder);
  }
  return { step: 'remove-volumes', container, root, folders: [], parents: [...parents].sort() };
}

/**
 * May be repeated. Leaves the volumes of another container.
 *
 * @throws DEPLOYMENT_IN_USE when something is mounted in a volume, file errors
 */
export async function removeVolumes({
  container,
  root,
  folders,
  parents,
}: Step<'remove-volumes'>): Promise<void> {
  // The marker must not disappear before the volumes, or the rest would stay after a crash.
  const removed = `${dirname(root)}/.atomic-removed-volumes`;
  await removeTree(removed);
  if ((await readOwner(root, container)) === 'own') {
    await removeTree(unfinishedOf(root));
    for (const folder of folders) {
      if (folder === root) await removeAtOnce(root, removed);
      else await removeTree(folder);
    }
  }
  for (const parent of parents.toReversed()) {
    if (parent === root) await removeLoneMarker(root);
    await withFileErrors(`remove ${parent}`, async () => removeFolderIfEmpty(parent));
  }
  await syncFilesystemsOf([root]);
}

async function removeAtOnce(root: string, removed: string): Promise<void> {
  await requireNoMounts(root);
  await withFileErrors(`remove ${root}`, () => rename(root, removed));
  await removeTree(removed);
}

/** The marker is of no use without volumes. */
async function removeLoneMarker(root: string): Promise<void> {
  const marker = markerOf(root);
  await withFileErrors(`read ${root}`, async () => {
    if (!(await isNameTaken(marker))) return;
    const names = await readdir(root);
    if (names.length === 1) await unlink(marker);
  });
}
