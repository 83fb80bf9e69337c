/** Frees the objects that neither an image nor a container needs. */

import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { isChecksum } from '../../image/checksum.ts';
import { withExclusiveStore } from '../../store/access/store-lock.ts';
import { formatListPath, keepCheckouts } from '../../store/checkout/checkout-folders.ts';
import { removeEndedMounts } from '../../store/mount/mount-folder.ts';
import type { DeploymentNeed } from '../../store/prune/needed-commits.ts';
import { type PrunedStore, pruneRepository } from '../../store/prune/prune.ts';
import { buildUnreadable } from '../unreadable-deployments.ts';
import { removeContainerLeftovers, removeUnpackedLayers } from './container-leftovers.ts';
import { type SurveyedFolder, surveyStore } from './survey-store.ts';

/**
 * Prunes the image store, and removes the leftovers of killed commands. A prune and a pull or install wait for each
 * other.
 *
 * @throws CONTAINER_DAMAGED when the image of a container is unknown: then nothing was removed; the errors of
 *   `pruneRepository`; file errors for a journal or folder that cannot be read
 */
export async function pruneStore(host: Host): Promise<PrunedStore> {
  return withExclusiveStore(host, async () => {
    const step = 'pruning the image store';
    const { folders, missing } = await surveyStore(host);
    if (missing[0] !== undefined) throw buildMissing(host, missing[0], step);
    const unreadable = folders.flatMap((folder) => folder.unreadable);
    if (unreadable.length > 0) {
      throw await buildUnreadable(host, unreadable, {
        step,
        consequence: 'Nothing was freed, because its image is unknown',
      });
    }
    const leftovers = [...(await removeContainerLeftovers(host)), ...(await removeEndedMounts(host))];
    const pruned = await pruneRepository(host, folders.flatMap(listNeeds));
    await keepCheckouts(
      host,
      folders.filter(({ installed }) => installed.length > 0).map(({ checkouts }) => checkouts),
    );
    const unpacked = await removeUnpackedLayers(host);
    return { ...pruned, leftovers: [...leftovers, ...pruned.leftovers, ...unpacked] };
  });
}

function buildMissing({ locations }: Host, checkouts: string, step: string): AtomicError {
  const list = formatListPath(locations.repository);
  return new AtomicError(
    'STORE_FAILED',
    `${step}: the containers in ${checkouts} use it too, and that folder does not exist`,
    {
      hint: `Nothing was freed, because the images of its containers are unknown: mount the folder, or remove its line from ${list} when the folder is gone for good.`,
      details: { path: checkouts },
    },
  );
}

function listNeeds({ checkouts, installed }: SurveyedFolder): readonly DeploymentNeed[] {
  return installed.flatMap(({ name, record: { ostreeCommit: commit } }) =>
    isChecksum(commit) ? { name, checkouts, commit } : [],
  );
}
