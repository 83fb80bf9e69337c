/** Frees what neither an image nor a container needs. */
import type { Host } from '../host/host.ts';
import { removeEndedMounts } from '../store/mount/mount-folder.ts';
import { type PrunedStore, pruneRepository } from '../store/prune/prune.ts';
import { withExclusiveStore } from '../store/store-lock.ts';
import { removeContainerLeftovers, removeUnpackedLayers } from './container-leftovers.ts';
import { surveyDeployments } from './list-deployments.ts';
import { buildUnreadable } from './unreadable-deployments.ts';

/**
 * Prunes the image store, and removes what killed commands have left. Waits for pulls and installs, and they for it.
 *
 * @throws CONTAINER_DAMAGED when nobody knows what a container needs: nothing was removed; what `pruneRepository`
 *   throws; a journal or folder that cannot be read
 */
export async function pruneStore(host: Host): Promise<PrunedStore> {
  return withExclusiveStore(host, async () => {
    const { installed, unreadable } = await surveyDeployments(host);
    if (unreadable.length > 0) {
      throw await buildUnreadable(host, unreadable, {
        step: 'pruning the image store',
        consequence: 'Nothing was freed, because nobody knows what it needs',
      });
    }
    const leftovers = [...(await removeContainerLeftovers(host)), ...(await removeEndedMounts(host))];
    const pruned = await pruneRepository(
      host,
      installed.map(({ name, record }) => ({ name, commit: record.ostreeCommit })),
    );
    const unpacked = await removeUnpackedLayers(host);
    return { ...pruned, leftovers: [...leftovers, ...pruned.leftovers, ...unpacked] };
  });
}
