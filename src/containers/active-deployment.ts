/** The symlink that names the active deployment of a container; setting it is the commit point of every operation. */
import { rename, symlink } from 'node:fs/promises';
import { withFileErrors } from '../base/file-error.ts';
import { syncDirectory } from '../host/files/durable-files.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import type { Host } from '../host/host.ts';
import { buildContainerPaths } from './deployment.ts';
import { findLinkTarget } from './read-container.ts';

/** Replaces the symlink by one rename, so that the container always exists. */
export async function setActiveDeployment(host: Host, name: string, folder: string): Promise<void> {
  const { link, newLink } = buildContainerPaths(host.locations, name);
  // A crash may have left the temporary symlink, also when the final one is right.
  await withFileErrors(`remove ${newLink}`, async () => unlinkIfThere(newLink));
  if ((await findLinkTarget(link)) === folder) return;
  await withFileErrors(`create symlink ${link}`, async () => {
    await symlink(folder, newLink);
    await rename(newLink, link);
  });
  await syncDirectory(host.locations.checkouts);
}
