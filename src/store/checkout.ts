import type { Host } from '../host/host.ts';
import { withRepository } from './repository.ts';
import { withStoreErrors } from './store-error.ts';

/**
 * Checks the root filesystem of an image, or a folder of it, out as hard links. It is not synced: the caller syncs the
 * filesystem once, before the checkout gets its real name.
 *
 * @param commit of the image, 64 hex digits
 * @param destination absolute path that does not exist yet; after a failure or a crash a part of it may
 * @param folder of the image that becomes the destination, with leading slash; by default its root
 * @throws AtomicError CROSS_DEVICE when the repository is on another filesystem, NO_SPACE, STORE_FAILED
 */
export async function checkoutImage(
  host: Host,
  commit: string,
  destination: string,
  folder = '/',
): Promise<void> {
  await withRepository(host, async (repo) => {
    const { checkoutHardLinks } = await import('../native/ostree.ts');
    await withStoreErrors(`checking out ${destination}`, () =>
      checkoutHardLinks(repo, commit, folder, destination),
    );
  });
}
