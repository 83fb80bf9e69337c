/** Steps that change folders of deployments and the symlink to the active one. */
import { rename, unlink } from 'node:fs/promises';
import { withFileErrors } from '../../base/file-error.ts';
import { syncDirectory } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import { dropSpare } from '../../host/files/spare-file.ts';
import type { Host } from '../../host/host.ts';
import { setActiveDeployment } from '../active-deployment.ts';
import { buildContainerPaths, buildDeploymentFolder } from '../deployment.ts';
import { findLinkTarget, isFolder, readDeployment } from '../read-container.ts';
import { removeCreatedFolders } from '../service/created-paths.ts';
import type { DeploymentPlace, Step } from '../step.ts';

export function buildPlaceFolder(host: Host, name: string, { number, state }: DeploymentPlace): string {
  return buildDeploymentFolder(host.locations, name, number, state);
}

export async function changeLink(host: Host, { container: name, from, to }: Step<'link'>): Promise<void> {
  const { link, newLink, spareLink } = buildContainerPaths(host.locations, name);
  if (to !== null) {
    const folder = buildDeploymentFolder(host.locations, name, to);
    // It needs no space, as a new symlink would.
    if ((await findLinkTarget(link)) !== folder && (await findLinkTarget(spareLink)) === folder)
      await withFileErrors(`restore ${link}`, () => rename(spareLink, link));
    await setActiveDeployment(host, name, folder);
    await dropSpare(spareLink);
    return syncDirectory(host.locations.checkouts);
  }
  for (const path of [newLink, link]) {
    const target = await findLinkTarget(path);
    if (target === undefined) continue;
    if (from !== null && target !== buildDeploymentFolder(host.locations, name, from)) continue;
    await withFileErrors(`remove ${path}`, () => unlink(path));
  }
  await syncDirectory(host.locations.checkouts);
}

/**
 * A previous deployment that was set aside is restored last: as long as it has that name, the step is not done.
 */
export async function setAside(
  host: Host,
  { container: name, number, hasPrevious }: Step<'set-aside'>,
): Promise<void> {
  const folder = buildDeploymentFolder(host.locations, name, number);
  const previous = buildDeploymentFolder(host.locations, name, number, 'previous');
  const old = buildDeploymentFolder(host.locations, name, number, 'old');
  if (hasPrevious && !(await isFolder(previous))) return;
  if (await isFolder(folder)) {
    await removeTree(old);
    await withFileErrors(`rename ${folder}`, () => rename(folder, old));
  }
  if (hasPrevious) await withFileErrors(`restore ${folder}`, () => rename(previous, folder));
  await syncDirectory(host.locations.checkouts);
}

export async function removePlaces(host: Host, { container, places }: Step<'remove'>): Promise<void> {
  for (const place of places) await removeTree(buildPlaceFolder(host, container, place));
  await syncDirectory(host.locations.checkouts);
}

export async function removeFoldersMadeBy(
  host: Host,
  { container: name, made, keeper }: Step<'remove-created-folders'>,
): Promise<void> {
  const created =
    (await readDeployment(host, buildPlaceFolder(host, name, made), name))?.createdFolders ?? [];
  const kept = await readDeployment(host, buildDeploymentFolder(host.locations, name, keeper), name);
  await removeCreatedFolders(
    host,
    undefined,
    created.filter((path) => !kept?.createdFolders.includes(path)),
  );
}
