/** Builds a deployment under a temporary name. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { withFileErrors } from '../../base/file-error.ts';
import { FolderMode } from '../../base/file-mode.ts';
import { syncFilesystemOf } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { letUsersReach } from '../../store/access/private-folders.ts';
import { checkOut } from '../../store/checkout/checkout.ts';
import type { PlannedFile } from '../container.ts';
import {
  buildDeploymentFolder,
  buildDeploymentPaths,
  type DeploymentNumber,
  type DeploymentPaths,
} from '../deployment.ts';
import { stageHostFiles } from '../hostfiles/stage-host-files.ts';
import type { PreparedInstall } from '../prepare/prepare-install.ts';
import { fillVolumes } from '../volumes/fill-volumes.ts';

/** Builds the complete deployment under its temporary name, `info` last, and syncs it. */
export async function buildDeployment(
  host: Host,
  { plan, checkout, warnings }: PreparedInstall,
  number: DeploymentNumber,
): Promise<void> {
  const folder = buildDeploymentFolder(host.locations, plan.name, number, 'new');
  const paths = buildDeploymentPaths(folder, plan.name);
  host.report({ kind: 'extracting', destination: plan.deployment });
  for (const text of warnings) host.report({ kind: 'warning', text });
  // Remains of a killed install whose journal a person has removed.
  await removeTree(folder);
  await withFileErrors(`create folder ${folder}`, async () => {
    await mkdir(folder);
    await chmod(folder, FolderMode.private);
  });
  if (checkout !== undefined) await checkOut(host, checkout, paths.rootfs);
  throwIfInterrupted(host);
  await fillVolumes(host, plan.name, paths.rootfs, plan.newVolumes);
  for (const file of plan.files) {
    for (const place of choosePlacesInside(paths, file)) await writePlannedFile(file, place);
  }
  await stageHostFiles(paths.hostFiles, plan.hostFiles, plan.hostFolders);
  await letUsersReach(host, folder);
  await syncFilesystemOf(folder);
  throwIfInterrupted(host);
}

/** The file is not synced here: one sync of the filesystem covers it and the checkout. */
async function writePlannedFile(file: PlannedFile, path: string): Promise<void> {
  await withFileErrors(`write ${path}`, async () => {
    await writeFile(path, file.content, { flag: 'wx' });
    await chmod(path, file.mode);
  });
}

/**
 * The deployment keeps a copy of each file that an administrator may edit. Activation writes the files of the host from their
 * copies.
 */
function choosePlacesInside(paths: DeploymentPaths, { role, path }: PlannedFile): readonly string[] {
  switch (role) {
    case 'unit':
      return [`${paths.folder}/${basename(path)}`];
    case 'tmpfiles':
      return [paths.tmpfilesCopy];
    case 'config':
      return [paths.config, paths.configCopy];
    case 'info':
      return [paths.info];
  }
}
