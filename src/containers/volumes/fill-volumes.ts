/** Makes the folders of new volumes, with the content that the image has there. */
import { chmod, chown, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withFileErrors } from '../../base/file-error.ts';
import { FolderMode } from '../../base/file-mode.ts';
import { syncFilesystemOf } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { runProgram } from '../../host/run-program.ts';
import type { NewVolumes, PlannedVolume } from '../render/config/image-volumes.ts';
import { formatVolumesMarker, markerOf, unfinishedOf } from './volume-folders.ts';

/**
 * A volume appears under its name when it is complete. After success, all are synced; after a failure or a crash, the step
 * `remove-volumes` of the journal removes what was made.
 *
 * @param rootfs a checkout of the image
 * @throws NO_SPACE, READ_ONLY, COMMAND_FAILED, INTERRUPTED
 */
export async function fillVolumes(
  host: Host,
  name: string,
  rootfs: string,
  { root, volumes, parents }: NewVolumes,
): Promise<void> {
  if (volumes.length === 0) return;
  const isRootNew = parents.includes(root);
  for (const parent of parents)
    await makeFolder(parent, parent === root ? FolderMode.private : FolderMode.public);
  if (isRootNew) {
    const marker = markerOf(root);
    await withFileErrors(`write ${marker}`, () => writeFile(marker, formatVolumesMarker(name)));
  }
  const unfinished = unfinishedOf(root);
  for (const { path, folder, isInImage, missingInside, owner } of volumes) {
    throwIfInterrupted(host);
    await removeTree(unfinished);
    if (isInImage) await copyFolder(host, `${rootfs}${path}`, unfinished);
    else await makeOwnFolder(unfinished, owner);
    for (const inner of missingInside) {
      const made = `${unfinished}${inner.slice(path.length)}`;
      await withFileErrors(`create folder ${made}`, () => mkdir(dirname(made), { recursive: true }));
      await makeOwnFolder(made, owner);
    }
    await withFileErrors(`create ${folder}`, () => rename(unfinished, folder));
  }
  await syncFilesystemOf(root);
}

async function makeOwnFolder(path: string, { uid, gid }: PlannedVolume['owner']): Promise<void> {
  await makeFolder(path, FolderMode.public);
  await withFileErrors(`change ${path}`, () => chown(path, uid, gid));
}

/** The mode does not depend on the umask. */
async function makeFolder(path: string, mode: number): Promise<void> {
  await withFileErrors(`create folder ${path}`, async () => {
    await mkdir(path);
    await chmod(path, mode);
  });
}

/** The files of a checkout are hard links into the store, so they are copied. */
async function copyFolder(host: Host, from: string, to: string): Promise<void> {
  await runProgram(host, ['cp', '--archive', '--reflink=auto', '--one-file-system', '--', from, to]);
}
