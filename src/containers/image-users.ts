import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import type { InstalledDeployment } from './list-deployments.ts';
import { listContainerNames, readContainer } from './read-container.ts';

/** An image of the store; `id` and `commit` are `undefined` when its ref or commit cannot be read. */
interface UsedImage {
  readonly reference: string;
  readonly id: string | undefined;
  readonly commit: Checksum | undefined;
}

/**
 * Finds the containers that have a deployment of an image. A deployment that is kept for a rollback counts too.
 *
 * @returns names, sorted
 */
export function findImageUsers(
  deployments: readonly InstalledDeployment[],
  image: UsedImage,
): readonly string[] {
  const users = deployments.filter((deployment) => isMadeOf(deployment, image));
  return [...new Set(users.map(({ name }) => name))].sort();
}

/**
 * Whether a deployment was made of an image. The id or the commit must match; an `info` file of the original may have
 * only one of them. For an image that cannot be read, the name must match.
 */
export function isMadeOf(deployment: InstalledDeployment, { reference, id, commit }: UsedImage): boolean {
  const { revision, ostreeCommit } = deployment.record;
  if (revision !== '' && revision === id) return true;
  if (ostreeCommit !== '' && ostreeCommit === commit) return true;
  return id === undefined && reference === deployment.reference;
}

/**
 * Lists the ids of the images that containers use (compatibility M-02). Works without root. Damaged containers are
 * left out, because their image is unknown.
 *
 * @returns image id -> names of the containers, sorted
 */
export async function listUsedImageIds(host: Host): Promise<ReadonlyMap<string, readonly string[]>> {
  const used = new Map<string, string[]>();
  for (const name of await listContainerNames(host)) {
    const state = await readContainer(host, name);
    if (state.kind !== 'installed' || state.record.revision === '') continue;
    used.set(state.record.revision, [...(used.get(state.record.revision) ?? []), name]);
  }
  return used;
}
