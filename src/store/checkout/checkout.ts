import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { readMountId } from '../../host/mounts/mount-table.ts';
import type { Checksum } from '../../image/checksum.ts';
import { readCommit } from '../../ostree/object-files.ts';
import { requireMode, withRepository } from '../../ostree/repository.ts';
import { withStoreErrors } from '../../ostree/store-error.ts';
import { buildUnmerged, hasMergedRoot } from '../image-root.ts';
import { linkTree, readVerifiedTree, type VerifiedTree } from './link-tree.ts';

/** An image that can be checked out: its directories have been read and verified. */
export interface Checkout {
  readonly commit: Checksum;
  readonly tree: VerifiedTree;
}

/**
 * Reads the directories of an image, before the first change of the caller. The caller keeps the store from a prune until the
 * checkout.
 *
 * @param commit checksum of the image's commit, 64 hex digits
 * @throws AtomicError STORE_CORRUPT when a directory is damaged or missing, STORE_FAILED
 */
export async function readCheckout(host: Host, commit: Checksum): Promise<Checkout> {
  return withStoreErrors('reading the files of the image', () => {
    requireMode(host);
    requireMerged(host, commit);
    return { commit, tree: readVerifiedTree(host.locations.repository, commit) };
  });
}

/**
 * Checks out the root filesystem of an image as hard links. A file with the maximum number of links is copied. Does not sync:
 * the caller syncs the filesystem once, before it renames the checkout.
 *
 * @param destination absolute path that does not exist; after a failure or a crash a part of the checkout may exist
 * @throws AtomicError STORE_CORRUPT when a file is missing, CROSS_DEVICE when the repository is on another filesystem, NO_SPACE,
 * STORE_FAILED, INTERRUPTED
 */
export async function checkOut(host: Host, { commit, tree }: Checkout, destination: string): Promise<void> {
  // The files of other modes are no root filesystem, and only libostree knows what they stand for.
  if (host.locations.repositoryMode !== 'bare') return checkoutFolder(host, commit, '/', destination);
  requireOneMount(host, destination);
  await withStoreErrors(`checking out ${destination}`, () => linkTree(host, tree, destination));
}

/** Reads and checks out an image. @throws as `readCheckout` and `checkOut` */
export async function checkoutImage(host: Host, commit: Checksum, destination: string): Promise<void> {
  await checkOut(host, await readCheckout(host, commit), destination);
}

/**
 * Checks out a folder or file of an image as hard links. Damaged directories are empty in the checkout.
 *
 * @param path path in the image, with leading slash
 */
export async function checkoutFolder(
  host: Host,
  commit: Checksum,
  path: string,
  destination: string,
): Promise<void> {
  await withRepository(host, async (repo) => {
    const { checkoutWithLinks } = await import('../../native/ostree.ts');
    requireOneMount(host, destination);
    await withStoreErrors(`checking out ${destination}`, () =>
      checkoutWithLinks(repo, commit, path, destination),
    );
  });
}

/** libostree copies files when it cannot link them. The kernel refuses hard links between mounts, even of one filesystem. */
function requireOneMount({ locations: { repository } }: Host, destination: string): void {
  if (readMountId(`${repository}/objects`) === readMountId(dirname(destination))) return;
  throw new AtomicError(
    'CROSS_DEVICE',
    `checking out ${destination}: it is on another filesystem than ${repository}`,
    {
      hint: 'Containers are hard links into the repository: put both on one filesystem (checkout_path and ostree_repository in /etc/atomic.conf).',
    },
  );
}

/** The caller has merged the image before, see `merge-image.ts`. The checkout of an unmerged commit would have no files. */
function requireMerged({ locations: { repository } }: Host, commit: Checksum): void {
  if (!hasMergedRoot(repository, readCommit(repository, commit))) throw buildUnmerged(commit);
}
