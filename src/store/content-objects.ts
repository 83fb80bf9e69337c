/**
 * Reads files by their content objects (libostree, "Repository modes"). In a repository of the mode `bare` an object has the
 * owner, mode and xattrs of the file, and the object of a symlink is a symlink. In `bare-user` an object is a regular file of
 * the user; its xattr `user.ostreemeta` has owner, mode and xattrs in the form of a dirmeta object. The object of a symlink
 * then contains the target and a NUL.
 */

import { closeSync, lstatSync, openSync, readFileSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import { isErrno, toFileError } from '../base/file-error.ts';
import { isSymlinkMode, PERMISSIONS } from '../base/file-mode.ts';
import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import { readXattrs } from '../native/xattr.ts';
import { VariantMalformed } from '../ostree/gvariant.ts';
import { formatObjectPath, REPAIR_HINT, readDirMeta } from '../ostree/object-files.ts';
import { type DirMeta, parseDirMeta } from '../ostree/ostree-objects.ts';
import type { FileNode } from './file-change.ts';

const USER_METADATA = 'user.ostreemeta';
const CHUNK_BYTES = 1024 * 1024;
// Allocated once: a new buffer for every file would cost filling it with zeros.
const chunkA = Buffer.alloc(CHUNK_BYTES);
const chunkB = Buffer.alloc(CHUNK_BYTES);

/** @throws AtomicError STORE_CORRUPT, STORE_FAILED */
export function readDirectoryNode(host: Host, dirmeta: Checksum): FileNode {
  return { type: 'directory', ...toCommon(readDirMeta(host.locations.repository, dirmeta)) };
}

/** @throws AtomicError STORE_CORRUPT, STORE_FAILED */
export function readFileNode(host: Host, checksum: Checksum): FileNode {
  const path = formatObjectPath(host.locations.repository, checksum, 'file');
  return withObject(checksum, () => {
    const [stats, xattrs] = [lstatSync(path), readXattrs(path)];
    if (host.locations.repositoryMode === 'bare') {
      const meta = { uid: stats.uid, gid: stats.gid, mode: stats.mode, xattrs };
      return toFileNode(meta, stats, () => readlinkSync(path));
    }
    const recorded = xattrs.find(([name]) => name.toString() === USER_METADATA)?.[1];
    if (recorded === undefined) throw new VariantMalformed(`there is no ${USER_METADATA}`);
    return toFileNode(parseDirMeta(recorded), stats, () => dropEnd(readFileSync(path, 'utf8')));
  });
}

/**
 * Whether two regular files have the same bytes.
 *
 * @param size length of both in bytes
 * @param pause runs between two chunks; an error of it ends the comparison
 * @throws AtomicError STORE_CORRUPT, STORE_FAILED
 */
export async function hasSameContent(
  host: Host,
  [a, b]: readonly [Checksum, Checksum],
  size: number,
  pause: () => Promise<void>,
): Promise<boolean> {
  const fileA = openObject(host, a);
  try {
    const fileB = openObject(host, b);
    try {
      for (let start = 0; start < size; start += CHUNK_BYTES) {
        if (start > 0) await pause();
        const wanted = Math.min(CHUNK_BYTES, size - start);
        const lengthA = withObject(a, () => readChunk(fileA, chunkA, wanted));
        const lengthB = withObject(b, () => readChunk(fileB, chunkB, wanted));
        if (!chunkA.subarray(0, lengthA).equals(chunkB.subarray(0, lengthB))) return false;
      }
      return true;
    } finally {
      closeSync(fileB);
    }
  } finally {
    closeSync(fileA);
  }
}

function toFileNode(meta: DirMeta, stats: Stats, readTarget: () => string): FileNode {
  return isSymlinkMode(meta.mode)
    ? { type: 'symlink', ...toCommon(meta), target: readTarget() }
    : { type: 'file', ...toCommon(meta), size: stats.size };
}

function toCommon({ uid, gid, mode, xattrs }: DirMeta): Pick<FileNode, 'uid' | 'gid' | 'mode' | 'xattrs'> {
  return {
    uid,
    gid,
    mode: mode & PERMISSIONS,
    // Names in OSTree's objects end with a NUL.
    xattrs: new Map(xattrs.map(([name, value]) => [dropEnd(name.toString()), value])),
  };
}

function dropEnd(text: string): string {
  return text.endsWith('\0') ? text.slice(0, -1) : text;
}

function openObject(host: Host, checksum: Checksum): number {
  return withObject(checksum, () =>
    openSync(formatObjectPath(host.locations.repository, checksum, 'file'), 'r'),
  );
}

function readChunk(file: number, buffer: Buffer, wanted: number): number {
  let length = 0;
  while (length < wanted) {
    const count = readSync(file, buffer, length, wanted - length, null);
    if (count === 0) break;
    length += count;
  }
  return length;
}

function withObject<T>(checksum: Checksum, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const isMissing = isErrno(error, 'ENOENT');
    if (!isMissing && !(error instanceof VariantMalformed))
      throw toFileError(error, `read object ${checksum}.file`);
    const reason = error instanceof VariantMalformed ? error.message : 'it is missing';
    throw new AtomicError('STORE_CORRUPT', `reading object ${checksum}.file: ${reason}`, {
      hint: REPAIR_HINT,
    });
  }
}
