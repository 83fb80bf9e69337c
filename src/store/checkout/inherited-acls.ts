/**
 * Files and directories inherit the default ACL of the directory in which they are created (acl(5)). libostree sets the
 * attributes of a directory before it creates its content, and does not remove the inherited ACLs.
 */

import { closeSync, constants, openSync } from 'node:fs';
import type { Host } from '../../host/host.ts';
import type { Checksum } from '../../image/checksum.ts';
import { readCommit, readDirMeta, readDirTree } from '../../ostree/object-files.ts';
import type { DirMeta } from '../../ostree/ostree-objects.ts';

const DEFAULT_ACL = 'system.posix_acl_default';
const ACLS = [DEFAULT_ACL, 'system.posix_acl_access'];
const openFolder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export function hasDefaultAcl(meta: DirMeta): boolean {
  return hasAttribute(meta, DEFAULT_ACL);
}

/**
 * Removes ACLs from the directories of a checkout that the image does not have. Their modes are right already.
 *
 * @param root root folder of a checkout that no other process changes
 * @throws failed system calls
 */
export async function removeInheritedAcls(
  { locations: { repository } }: Host,
  commit: Checksum,
  root: string,
): Promise<void> {
  const { removeXattr } = await import('../../native/xattr.ts');
  const visit = (dirtree: Checksum, place: string): void => {
    const folder = openSync(place, openFolder);
    try {
      for (const child of readDirTree(repository, dirtree).directories) {
        const path = `/proc/self/fd/${folder}/${child.name}`;
        const meta = readDirMeta(repository, child.dirmeta);
        for (const name of ACLS) if (!hasAttribute(meta, name)) removeXattr(path, Buffer.from(name));
        visit(child.dirtree, path);
      }
    } finally {
      closeSync(folder);
    }
  };
  visit(readCommit(repository, commit).dirtree, root);
}

function hasAttribute({ xattrs }: DirMeta, name: string): boolean {
  return xattrs.some(([each]) => each.toString('utf8') === `${name}\0`);
}
