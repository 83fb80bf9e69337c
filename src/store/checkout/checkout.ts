import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import { readMountId } from '../../host/mounts/mount-table.ts';
import type { Checksum } from '../../image/checksum.ts';
import { formatObjectPath, readCommit } from '../../ostree/object-files.ts';
import { parseDirMeta } from '../../ostree/ostree-objects.ts';
import { addReachable, createObjectSet } from '../../ostree/reachable-objects.ts';
import { withRepository } from '../../ostree/repository.ts';
import { withStoreErrors } from '../../ostree/store-error.ts';
import { readVerifiedObject } from '../../ostree/verified-object.ts';
import { buildUnmerged, hasMergedRoot } from '../image-root.ts';
import { hasDefaultAcl, removeInheritedAcls } from './inherited-acls.ts';

/**
 * Checks out the root filesystem of an image as hard links. A file with the maximum number of links is copied. Does not sync:
 * the caller syncs the filesystem once, before it renames the checkout.
 *
 * @param commit checksum of the image's commit, 64 hex digits
 * @param destination absolute path that does not exist; after a failure or a crash a part of the checkout may exist
 * @throws AtomicError STORE_CORRUPT when a directory is damaged or anything is missing, CROSS_DEVICE when the repository is
 * on another filesystem, NO_SPACE, STORE_FAILED
 */
export async function checkoutImage(host: Host, commit: Checksum, destination: string): Promise<void> {
  const acls = await withStoreErrors(`checking out ${destination}`, () => {
    requireMerged(host, commit);
    return checkDirectories(host, commit);
  });
  await checkoutFolder(host, commit, '/', destination);
  if (acls === 'default') {
    await withFileErrors(`check out ${destination}`, () => removeInheritedAcls(host, commit, destination));
  }
}

/**
 * As `checkoutImage`, for a folder or file of the image. Damaged directories are empty in the checkout.
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

/**
 * Verifies all directory objects, because libostree reads a damaged one as an empty directory.
 *
 * @returns whether a directory has a default ACL, which new files below it inherit
 */
function checkDirectories({ locations: { repository } }: Host, commit: Checksum): 'default' | 'none' {
  const reached = createObjectSet();
  addReachable(repository, commit, reached);
  const metas = [...reached.dirmeta].map((checksum) => {
    const path = formatObjectPath(repository, checksum, 'dirmeta');
    return parseDirMeta(readVerifiedObject(path, checksum, 'dirmeta'));
  });
  return metas.some(hasDefaultAcl) ? 'default' : 'none';
}
