/**
 * What files are, by their content objects (libostree, "Repository modes"). In a repository of the mode `bare` an
 * object has the owner, mode and xattrs of the file itself, and is a symlink for one. In `bare-user` it is a regular
 * file of the user, whose xattr `user.ostreemeta` has them, serialised like a dirmeta object; the content of a
 * symlink's is its target and a NUL.
 */
import type { Stats } from 'node:fs';
import { type FileHandle, lstat, open, readFile, readlink } from 'node:fs/promises';
import { AtomicError } from '../core/errors.ts';
import type { FileNode } from '../core/file-change.ts';
import { VariantMalformed } from '../core/gvariant.ts';
import { type DirMeta, parseDirMeta } from '../core/ostree-objects.ts';
import { isErrno, toFileError } from '../host/file-error.ts';
import type { Host } from '../host/host.ts';
import { formatObjectPath, REPAIR_HINT, readDirMeta } from './object-files.ts';

const USER_METADATA = 'user.ostreemeta';
const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;
const PERMISSIONS = 0o7777;
const CHUNK_BYTES = 1024 * 1024;

/** @throws AtomicError STORE_CORRUPT, STORE_FAILED */
export function readDirectoryNode(host: Host, dirmeta: string): FileNode {
  return { type: 'directory', ...toCommon(readDirMeta(host.locations.repository, dirmeta)) };
}

/** @throws AtomicError STORE_CORRUPT, STORE_FAILED */
export async function readFileNode(host: Host, checksum: string): Promise<FileNode> {
  const path = formatObjectPath(host.locations.repository, checksum, 'file');
  return withObject(checksum, async () => {
    const { readXattrs } = await import('../native/xattr.ts');
    const [stats, xattrs] = [await lstat(path), readXattrs(path)];
    if (host.locations.repositoryMode === 'bare') {
      const meta = { uid: stats.uid, gid: stats.gid, mode: stats.mode, xattrs };
      return toFileNode(meta, stats, () => readlink(path));
    }
    const recorded = xattrs.find(([name]) => name.toString() === USER_METADATA)?.[1];
    if (recorded === undefined) throw new VariantMalformed(`there is no ${USER_METADATA}`);
    return toFileNode(parseDirMeta(recorded), stats, async () => dropEnd(await readFile(path, 'utf8')));
  });
}

/** Whether two regular files have the same bytes. @throws AtomicError STORE_CORRUPT, STORE_FAILED */
export async function hasSameContent(host: Host, a: string, b: string): Promise<boolean> {
  return withOpenObject(host, a, (fileA) =>
    withOpenObject(host, b, async (fileB) => {
      const [bufferA, bufferB] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
      for (;;) {
        const [lengthA, lengthB] = await Promise.all([readChunk(fileA, bufferA), readChunk(fileB, bufferB)]);
        if (!bufferA.subarray(0, lengthA).equals(bufferB.subarray(0, lengthB))) return false;
        if (lengthA < CHUNK_BYTES) return true;
      }
    }),
  );
}

async function toFileNode(meta: DirMeta, stats: Stats, readTarget: () => Promise<string>): Promise<FileNode> {
  return (meta.mode & FILE_TYPE) === SYMLINK
    ? { type: 'symlink', ...toCommon(meta), target: await readTarget() }
    : { type: 'file', ...toCommon(meta), size: stats.size };
}

function toCommon({ uid, gid, mode, xattrs }: DirMeta): Pick<FileNode, 'uid' | 'gid' | 'mode' | 'xattrs'> {
  return {
    uid,
    gid,
    mode: mode & PERMISSIONS,
    // In OSTree's objects the names end with a NUL.
    xattrs: new Map(xattrs.map(([name, value]) => [dropEnd(name.toString()), value])),
  };
}

function dropEnd(text: string): string {
  return text.endsWith('\0') ? text.slice(0, -1) : text;
}

function withOpenObject<T>(
  host: Host,
  checksum: string,
  action: (file: FileHandle) => Promise<T>,
): Promise<T> {
  return withObject(checksum, async () => {
    const file = await open(formatObjectPath(host.locations.repository, checksum, 'file'), 'r');
    try {
      return await action(file);
    } finally {
      await file.close();
    }
  });
}

async function readChunk(file: FileHandle, buffer: Buffer): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

async function withObject<T>(checksum: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
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
