import { rename, unlink } from 'node:fs/promises';
import { withFileErrors } from '../../base/file-error.ts';
import { syncDirectory } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { buildContainerPaths, buildDeploymentFolder, type DeploymentNumber } from '../deployment.ts';
import { exchangeHostFiles, reportLeftFiles } from '../hostfiles/exchange-host-files.ts';
import { readHostFilesRecords } from '../hostfiles/read-staged-files.ts';
import { findLinkTarget, isFolder } from '../read-container.ts';
import { deactivateDeployment } from '../service/activate.ts';

/** The container and the deployment of an unfinished install. */
interface UnfinishedInstall {
  readonly name: string;
  readonly number: DeploymentNumber;
}

/**
 * Removes everything that an install has created, from any point of it. May be repeated. The symlink is removed first:
 * after a crash in this function `recover.ts` undoes again, and does not finish the install.
 */
export async function undoInstall(host: Host, { name, number }: UnfinishedInstall): Promise<void> {
  const { checkouts } = host.locations;
  const { link, newLink } = buildContainerPaths(host.locations, name);
  const folder = buildDeploymentFolder(host.locations, name, number);
  const old = buildDeploymentFolder(host.locations, name, number, 'old');
  await removeLink(newLink, folder);
  await removeLink(link, folder);
  await syncDirectory(checkouts);
  const isComplete = await isFolder(folder);
  // Activating begins only after the deployment is complete.
  if (isComplete || (await isFolder(old))) await deactivateDeployment(host, name);
  const records = await readHostFilesRecords(host, [folder, old], name);
  reportLeftFiles(host, await exchangeHostFiles(host, records, undefined));
  await removeTree(old);
  if (isComplete) await withFileErrors(`rename ${folder}`, () => rename(folder, old));
  await removeTree(old);
  await removeTree(buildDeploymentFolder(host.locations, name, number, 'new'));
}

/** Removes a symlink if it exists and leads to this folder. */
export async function removeLink(link: string, target: string): Promise<void> {
  if ((await findLinkTarget(link)) !== target) return;
  await withFileErrors(`remove ${link}`, () => unlink(link));
}
