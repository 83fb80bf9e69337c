import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import { readMountId } from '../../host/mounts/mount-id.ts';
import { formatObjectPath, readCommit } from '../../ostree/object-files.ts';
import { parseDirMeta } from '../../ostree/ostree-objects.ts';
import { addReachable, createObjectSet } from '../../ostree/reachable-objects.ts';
import { withRepository } from '../../ostree/repository.ts';
import { withStoreErrors } from '../../ostree/store-error.ts';
import { readVerifiedObject } from '../../ostree/verified-object.ts';
import { buildUnmerged, hasMergedRoot } from '../image-root.ts';
import { hasDefaultAcl, removeInheritedAcls } from './inherited-acls.ts';

/**
 * Checks the root filesystem of an image out as hard links; a file that has as many as the filesystem allows is copied. It
 * is not synced: the caller syncs the filesystem once, before the checkout gets its real name.
 *
 * @param commit of the image, 64 hex digits
 * @param destination absolute path that does not exist yet; after a failure or a crash a part of it may
 * @throws AtomicError STORE_CORRUPT when a directory is damaged or anything is missing, CROSS_DEVICE when the repository is
 * on another filesystem, NO_SPACE, STORE_FAILED
 */
export async function checkoutImage(host: Host, commit: string, destination: string): Promise<void> {
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
    const { checkoutWithLinks } = await import('../../native/ostree.ts');
    requireOneMount(host, destination);
    await withStoreErrors(`checking out ${destination}`, () =>
      checkoutWithLinks(repo, commit, path, destination),
    );
  });
}

/** libostree copies for any reason why there can be no link. To another mount the kernel makes none, even of one filesystem. */
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

/** Whoever checks out has merged it before, see `merge-image.ts`; a commit of the original would come out empty. */
function requireMerged({ locations: { repository } }: Host, commit: string): void {
  if (!hasMergedRoot(repository, readCommit(repository, commit))) throw buildUnmerged(commit);
}

/**
 * libostree takes a damaged directory object for an empty one.
 *
 * @returns whether a directory has an ACL that those below it would inherit
 */
function checkDirectories({ locations: { repository } }: Host, commit: string): 'default' | 'none' {
  const reached = createObjectSet();
  addReachable(repository, commit, reached);
  const metas = [...reached.dirmeta].map((checksum) => {
    const path = formatObjectPath(repository, checksum, 'dirmeta');
    return parseDirMeta(readVerifiedObject(path, checksum, 'dirmeta'));
  });
  return metas.some(hasDefaultAcl) ? 'default' : 'none';
}
