import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { formatReference, parseReference } from '../image/reference.ts';
import type { InstalledDeployment } from './list-deployments.ts';
import { listContainerNames, readContainer } from './read-container.ts';

/** What is known of an image; without an id nobody can read what its name means. */
interface UsedImage {
  readonly reference: string;
  readonly id: string | undefined;
  readonly commit: string | undefined;
}

/**
 * Finds the containers that have a deployment of an image, also one that is kept for a rollback.
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
 * Whether a deployment was made of an image: by id or commit, of which `info` files of the original may have only one.
 * An image that cannot be read any more is that of the deployments which were installed by its name.
 */
export function isMadeOf(deployment: InstalledDeployment, { reference, id, commit }: UsedImage): boolean {
  const { revision, ostreeCommit } = deployment.record;
  if (revision !== '' && revision === id) return true;
  if (ostreeCommit !== '' && ostreeCommit === commit) return true;
  return id === undefined && reference === readReference(deployment);
}

/** The full name of the image that a deployment was installed from; as it was written when it is none. */
export function readReference({ record }: InstalledDeployment): string {
  try {
    return formatReference(parseReference(record.image));
  } catch (error) {
    if (error instanceof AtomicError) return record.image;
    throw error;
  }
}

/**
 * Lists the ids of the images that containers use (compatibility M-02). Works without root; damaged containers count
 * for nothing, because nobody knows their image.
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
