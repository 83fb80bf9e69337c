/** Sets the owner, mode and extended attributes of objects on the disk, which their checksums cover; see `KeptAttributes`. */

import { chmodSync, lchownSync, utimesSync } from 'node:fs';
import { isSymlinkMode, PERMISSIONS } from '../../base/file-mode.ts';
import { writeXattr } from '../../native/xattr.ts';
import { type DirMeta, formatDirMeta } from '../../ostree/ostree-objects.ts';

const USER_METADATA = Buffer.from('user.ostreemeta');
/** Time of every object, the same as in libostree: objects have no time of their own. */
const CONTENT_TIME = 0;

/** Sets the owner first, because that removes setuid bits and capabilities. */
export function applyBareMeta(path: string, meta: DirMeta): void {
  applyBareSymlinkMeta(path, meta);
  chmodSync(path, meta.mode & PERMISSIONS);
  utimesSync(path, CONTENT_TIME, CONTENT_TIME);
}

export function applyBareSymlinkMeta(path: string, { uid, gid, xattrs }: DirMeta): void {
  lchownSync(path, uid, gid);
  for (const [name, value] of xattrs) writeXattr(path, [name.subarray(0, -1), value]);
}

/** `bare-user`: an xattr has what only root can set. The owner can always read the file. */
export function applyBareUserMeta(path: string, meta: DirMeta): void {
  writeUserMeta(path, meta);
  chmodSync(path, isSymlinkMode(meta.mode) ? 0o644 : (meta.mode & 0o775) | 0o400);
  utimesSync(path, CONTENT_TIME, CONTENT_TIME);
}

/** @throws SystemCallFailed */
export function writeUserMeta(path: string, meta: DirMeta): void {
  writeXattr(path, [USER_METADATA, formatDirMeta(meta)]);
}
