/** Gives objects on the disk the owner, mode and extended attributes that their checksums speak of. */
import { chmodSync, lchownSync, statfsSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { AtomicError } from '../../core/errors.ts';
import { type DirMeta, formatDirMeta, type Xattr } from '../../core/ostree-objects.ts';
import { toPrintable } from '../../core/printable.ts';
import { SystemCallFailed } from '../../native/libc.ts';
import { writeXattr } from '../../native/xattr.ts';

/** What the kernel says of attributes that a filesystem does not keep, or nobody may set. */
const REFUSED_XATTR = ['EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'E2BIG', 'ERANGE', 'EPERM'];

const ROOM_FOR_ANY_XATTR = 16 * 1024 * 1024;
/** An object has no time: the same on every machine, and the one that libostree gives files. */
const CONTENT_TIME = 0;
const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;

/** Changing the owner takes setuid bits and capabilities away, so it comes first. */
export function applyBareMeta(path: string, meta: DirMeta): void {
  applyBareSymlinkMeta(path, meta);
  chmodSync(path, meta.mode & 0o7777);
  utimesSync(path, CONTENT_TIME, CONTENT_TIME);
}

export function applyBareSymlinkMeta(path: string, { uid, gid, xattrs }: DirMeta): void {
  lchownSync(path, uid, gid);
  for (const xattr of xattrs) setXattr(path, xattr);
}

/** `bare-user`: what only root can give a file is kept beside it, and the owner can always read it. */
export function applyBareUserMeta(path: string, meta: DirMeta): void {
  writeXattr(path, [Buffer.from('user.ostreemeta'), formatDirMeta(meta)]);
  chmodSync(path, (meta.mode & FILE_TYPE) === SYMLINK ? 0o644 : (meta.mode & 0o775) | 0o400);
  utimesSync(path, CONTENT_TIME, CONTENT_TIME);
}

function setXattr(path: string, [named, value]: Xattr): void {
  const name = named.subarray(0, -1);
  try {
    writeXattr(path, [name, value]);
  } catch (error) {
    if (!(error instanceof SystemCallFailed) || !isRefusal(error.code, dirname(path))) throw error;
    const printable = toPrintable(name.toString('utf8'));
    throw new AtomicError('LAYER_REJECTED', `setting the extended attribute ${printable}: ${error.code}`, {
      hint: 'The filesystem of the image store does not keep it; build the image without it.',
      cause: error,
    });
  }
}

/** ext4 keeps all attributes of a file in one block, and says ENOSPC when they are larger, however empty the disk is. */
function isRefusal(code: string, folder: string): boolean {
  if (code !== 'ENOSPC') return REFUSED_XATTR.includes(code);
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > ROOM_FOR_ANY_XATTR;
}
