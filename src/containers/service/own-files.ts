/** Finds the files of the host with the names of a container that belong to atomic and may be removed. */
import { lstat, readFile } from 'node:fs/promises';
import { noPath, tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  deploymentNumbers,
  type UnitFile,
} from '../deployment.ts';
import { parseMarker } from '../render/unit/generated-marker.ts';

/** Lists the existing units of the host with names of this container that belong to atomic. */
export async function listOwnUnits(host: Host, name: string): Promise<readonly UnitFile[]> {
  const copies = listDeployments(host, name).flatMap(
    (folder) => buildDeploymentPaths(folder, name).unitCopies,
  );
  const own: UnitFile[] = [];
  for (const file of buildContainerPaths(host.locations, name).units) {
    const same = copies.filter(({ unit }) => unit === file.unit).map(({ path }) => path);
    if (await isOwn(host, file.path, name, same)) own.push(file);
  }
  return own;
}

/** Whether one of the units with names of this container belongs to atomic. */
export async function hasOwnUnits(host: Host, name: string): Promise<boolean> {
  return (await listOwnUnits(host, name)).length > 0;
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
      noPath,
    ),
  );
}
