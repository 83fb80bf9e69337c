/** The symlink that names the active deployment of a container; setting it is the commit point of every operation. */
import { rename, symlink } from 'node:fs/promises';
import { withFileErrors } from '../base/file-error.ts';
import { syncDirectory } from '../host/files/durable-files.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import type { Host } from '../host/host.ts';
import { buildContainerPaths } from './deployment.ts';
import { findLinkTarget } from './read-container.ts';

/** Replaces the symlink by one rename, so that the container always exists, and syncs it. */
export async function setActiveDeployment(host: Host, name: string, folder: string): Promise<void> {
  if (!(await prepareLink(host, name, folder))) return;
  await replaceLink(host, name);
  await syncDirectory(host.locations.checkouts);
}

/** Creates the symlink under its temporary name. @returns false when the final one names the folder already */
export async function prepareLink(host: Host, name: string, folder: string): Promise<boolean> {
  const { link, newLink } = buildContainerPaths(host.locations, name);
  // A crash may have left the temporary symlink, also when the final one is right.
  await withFileErrors(`remove ${newLink}`, async () => unlinkIfThere(newLink));
  if ((await findLinkTarget(link)) === folder) return false;
  await withFileErrors(`create symlink ${link}`, () => symlink(folder, newLink));
  return true;
}

/** Gives the prepared symlink its name. The caller syncs the folder. */
export async function replaceLink(host: Host, name: string): Promise<void> {
  const { link, newLink } = buildContainerPaths(host.locations, name);
  await withFileErrors(`create symlink ${link}`, () => rename(newLink, link));
}
