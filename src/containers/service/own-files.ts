/** Finds the files of the host with the names of a container that belong to atomic and may be removed. */
import { lstat, readFile } from 'node:fs/promises';
import { tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  deploymentNumbers,
} from '../deployment.ts';
import { parseMarker } from '../render/unit/generated-marker.ts';

/** Whether the unit with the name of this container belongs to atomic; false without a unit. */
export async function isOwnUnit(host: Host, name: string): Promise<boolean> {
  const copies = listDeployments(host, name).map((folder) => buildDeploymentPaths(folder, name).unitCopy);
  return isOwn(host, buildContainerPaths(host.locations, name).unit, name, copies);
}

/** Whether the tmpfiles.d file with the name of this container belongs to atomic; false without a file. */
export async function isOwnTmpfiles(host: Host, name: string): Promise<boolean> {
  const copies = listDeployments(host, name).map((folder) => buildDeploymentPaths(folder, name).tmpfilesCopy);
  return isOwn(host, buildContainerPaths(host.locations, name).tmpfiles, name, copies);
}

/**
 * A file belongs to atomic when it has the marker for this container in this CHECKOUTS, or equals the copy in a
 * deployment. The original program wrote no marker, also when it updated a container of atomic. An edited file equals
 * no copy.
 */
async function isOwn(
  { locations: { checkouts } }: Host,
  path: string,
  name: string,
  copies: readonly string[],
): Promise<boolean> {
  const content = await findContent(path);
  if (content === undefined) return false;
  const marker = parseMarker(content.toString());
  if (marker?.name === name && (marker.checkouts ?? checkouts) === checkouts) return true;
  for (const copy of copies) {
    if ((await findContent(copy))?.equals(content)) return true;
  }
  return false;
}

/** Renamed deployments count too, because an uninstall renames them before it removes the files of the host. */
function listDeployments({ locations }: Host, name: string): readonly string[] {
  return deploymentNumbers.flatMap((number) => [
    buildDeploymentFolder(locations, name, number),
    buildDeploymentFolder(locations, name, number, 'old'),
  ]);
}

/** @returns `undefined` for a missing file, and for one that is not regular: atomic creates only regular files */
async function findContent(path: string): Promise<Buffer | undefined> {
  return withFileErrors(`read ${path}`, () =>
    tolerateMissingAsync(
      async () => ((await lstat(path)).isFile() ? await readFile(path) : undefined),
      ['ENOENT', 'ENOTDIR'],
    ),
  );
}
