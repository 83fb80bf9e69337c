import { statfs } from 'node:fs/promises';
import type { Host } from '../host/host.ts';
import type { Pointer } from '../native/glib.ts';
import { ObjectStage } from './object-stage.ts';
import { withStoreErrors } from './store-error.ts';

/**
 * Opens the stage of the open transaction. What is written there leaves as much free as libostree itself leaves.
 *
 * @throws AtomicError STORE_FAILED when the filesystem cannot be looked at
 */
export async function openObjectStage(host: Host, repo: Pointer): Promise<ObjectStage> {
  const { repository } = host.locations;
  return withStoreErrors(`looking at the filesystem of ${repository}`, async () => {
    const { readMinFreeSpace } = await import('../native/ostree-inventory.ts');
    const { bsize, bfree, bavail } = await statfs(repository);
    const free = (host.uid === 0 ? bfree : bavail) * bsize;
    return new ObjectStage(host.locations, free - readMinFreeSpace(repo));
  });
}
