/** Gives objects on the disk the owner, mode and extended attributes that their checksums speak of, see `KeptAttributes`. */

import { chmodSync, lchownSync, utimesSync } from 'node:fs';
import { writeXattr } from '../../native/xattr.ts';
import { isSymlinkMode, PERMISSIONS } from '../../ostree/file-mode.ts';
import { type DirMeta, formatDirMeta } from '../../ostree/ostree-objects.ts';

const USER_METADATA = Buffer.from('user.ostreemeta');
/** An object has no time: the same on every machine, and the one that libostree gives files. */
const CONTENT_TIME = 0;

/** Changing the owner takes setuid bits and capabilities away, so it comes first. */
export function applyBareMeta(path: string, meta: DirMeta): void {
  applyBareSymlinkMeta(path, meta);
  chmodSync(path, meta.mode & PERMISSIONS);
  utimesSync(path, CONTENT_TIME, CONTENT_TIME);
}

export function applyBareSymlinkMeta(path: string, { uid, gid, xattrs }: DirMeta): void {
  lchownSync(path, uid, gid);
  for (const [name, value] of xattrs) writeXattr(path, [name.subarray(0, -1), value]);
}

/** `bare-user`: what only root can give a file is kept beside it, and the owner can always read it. */
export function applyBareUserMeta(path: string, meta: DirMeta): void {
  writeUserMeta(path, meta);
  chmodSync(path, isSymlinkMode(meta.mode) ? 0o644 : (meta.mode & 0o775) | 0o400);
  utimesSync(path, CONTENT_TIME, CONTENT_TIME);
}

/** @throws SystemCallFailed */
export function writeUserMeta(path: string, meta: DirMeta): void {
  writeXattr(path, [USER_METADATA, formatDirMeta(meta)]);
}
