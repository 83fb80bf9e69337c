/** Reads the list of images in a folder, and makes sure that nothing in it is waited for when it is opened. */
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import type { AtomicError } from '../core/errors.ts';
import { MAX_MANIFEST_BYTES } from '../core/manifest.ts';
import { isErrno } from '../host/file-error.ts';
import { archiveInvalid } from './archive-invalid.ts';
import { sourceUnreadable } from './source-unreadable.ts';

/** Blobs and signatures as skopeo calls them in a `dir:` folder; what else is there is not opened. */
const DIR_MEMBER = /^(?:(?:[a-z0-9]+-)?[0-9a-f]{64,}|signature-[0-9]+|version)$/;

/** @throws AtomicError ARCHIVE_INVALID, SOURCE_UNREADABLE; the errors of the file system */
export async function readLayoutFolder(folder: string): Promise<string> {
  const text = await readIndexFile(folder, 'index.json', 'an OCI layout');
  const blobs = `${folder}/blobs`;
  for (const { name } of await listEntries(blobs)) await refuseSpecialFiles(`${blobs}/${name}`, () => true);
  return text;
}

/** @throws AtomicError as `readLayoutFolder` */
export async function checkDirFolder(folder: string): Promise<void> {
  await readIndexFile(folder, 'manifest.json', 'a folder that skopeo has written');
  await refuseSpecialFiles(folder, (name) => DIR_MEMBER.test(name));
}

async function readIndexFile(folder: string, file: string, what: string): Promise<string> {
  try {
    const path = `${folder}/${file}`;
    const stats = await stat(path);
    if (stats.isDirectory()) throw sourceUnreadable(path, 'it is a folder');
    if (!stats.isFile()) throw notAFile(path);
    if (stats.size > MAX_MANIFEST_BYTES) {
      throw archiveInvalid(path, `${stats.size} bytes are more than ${MAX_MANIFEST_BYTES}`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
    throw archiveInvalid(folder, `it has no ${file}, so it is not ${what}`);
  }
}

/** skopeo opens a FIFO and waits for a writer, whatever signal comes; a device may never end. */
async function refuseSpecialFiles(folder: string, isOpened: (name: string) => boolean): Promise<void> {
  for (const entry of await listEntries(folder)) {
    // A filesystem may not tell the type in its list.
    if (!isOpened(entry.name) || entry.isFile() || entry.isDirectory()) continue;
    const path = `${folder}/${entry.name}`;
    const stats = await stat(path).catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    });
    if (stats !== undefined && !stats.isFile() && !stats.isDirectory()) throw notAFile(path);
  }
}

/** @returns nothing for a folder that is not there, which skopeo reports when it needs it */
async function listEntries(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return [];
    throw error;
  }
}

function notAFile(path: string): AtomicError {
  return sourceUnreadable(path, 'it is neither a file nor a folder');
}
