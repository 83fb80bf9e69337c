import {
  closeSync,
  copyFileSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { isErrno } from '../../base/file-error.ts';
import type { DirMeta } from '../../ostree/ostree-objects.ts';
import { applyBareMeta, applyBareSymlinkMeta } from './apply-meta.ts';

/**
 * Makes a hard link to a content object or to another link of it. When the file has the maximum number of links (ext4: 65,000)
 * it makes a copy with the same owner, mode and attributes, and syncs that.
 *
 * @param path unused path; a failed copy may leave a part there
 */
export async function linkOrCopy(source: string, path: string): Promise<void> {
  try {
    linkSync(source, path);
  } catch (error) {
    if (!isErrno(error, 'EMLINK')) throw error;
    await copy(source, path);
  }
}

async function copy(source: string, path: string): Promise<void> {
  const { readXattrs } = await import('../../native/xattr.ts');
  const stats = lstatSync(source);
  const end = Buffer.alloc(1);
  const xattrs = readXattrs(source).map(([name, value]) => [Buffer.concat([name, end]), value] as const);
  const meta: DirMeta = { uid: stats.uid, gid: stats.gid, mode: stats.mode, xattrs };
  if (stats.isSymbolicLink()) {
    symlinkSync(readlinkSync(source), path);
    applyBareSymlinkMeta(path, meta);
    return;
  }
  copyFileSync(source, path);
  applyBareMeta(path, meta);
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
