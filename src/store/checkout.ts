import type { Host } from '../host/host.ts';
import { buildUnmerged, hasMergedRoot } from './image-root.ts';
import { formatObjectPath, readCommit } from './object-files.ts';
import { addReachable, createObjectSet } from './reachable-objects.ts';
import { withRepository } from './repository.ts';
import { withStoreErrors } from './store-error.ts';
import { readVerifiedObject } from './verified-object.ts';

/**
 * Checks the root filesystem of an image out as hard links. It is not synced: the caller syncs the filesystem once, before
 * the checkout gets its real name.
 *
 * @param commit of the image, 64 hex digits
 * @param destination absolute path that does not exist yet; after a failure or a crash a part of it may
 * @throws AtomicError STORE_CORRUPT when a directory is damaged or anything is missing, CROSS_DEVICE when the repository is
 * on another filesystem, NO_SPACE, STORE_FAILED
 */
export async function checkoutImage(host: Host, commit: string, destination: string): Promise<void> {
  await withStoreErrors(`checking out ${destination}`, () => {
    requireMerged(host, commit);
    requireSoundDirectories(host, commit);
  });
  await checkoutFolder(host, commit, '/', destination);
}

/**
 * As `checkoutImage`, of a folder or file of the image; directories that are damaged come out empty.
 *
 * @param path in the image, with leading slash
 */
export async function checkoutFolder(
  host: Host,
  commit: string,
  path: string,
  destination: string,
): Promise<void> {
  await withRepository(host, async (repo) => {
    const { checkoutHardLinks } = await import('../native/ostree.ts');
    await withStoreErrors(`checking out ${destination}`, () =>
      checkoutHardLinks(repo, commit, path, destination),
    );
  });
}

/** Whoever checks out has merged it before, see `merge-image.ts`; a commit of the original would come out empty. */
function requireMerged({ locations: { repository } }: Host, commit: string): void {
  if (!hasMergedRoot(repository, readCommit(repository, commit))) throw buildUnmerged(commit);
}

/** libostree takes a damaged directory object for an empty one. */
function requireSoundDirectories({ locations: { repository } }: Host, commit: string): void {
  const reached = createObjectSet();
  addReachable(repository, commit, reached);
  for (const checksum of reached.dirmeta) {
    readVerifiedObject(formatObjectPath(repository, checksum, 'dirmeta'), checksum, 'dirmeta');
  }
}
