/** Reads the list of images in a folder, and refuses FIFOs and devices, because skopeo would block on them. */
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import type { AtomicError } from '../../base/errors.ts';
import { isErrno, noPath, tolerateMissingAsync } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import { MAX_MANIFEST_BYTES } from '../../image/manifest.ts';
import { archiveInvalid, formatOtherPrefix, sourceUnreadable } from '../failures/file-failure.ts';

/** Names of the files that skopeo opens in a `dir:` folder: blobs, signatures and the version. */
const DIR_MEMBER = /^(?:(?:[a-z0-9]+-)?[0-9a-f]{64,}|signature-[0-9]+|version)$/;

interface FolderKind {
  readonly prefix: string;
  readonly index: string;
  /** Name of the kind of folder, with article. */
  readonly words: string;
}

const LAYOUT: FolderKind = { prefix: 'oci', index: 'index.json', words: 'an OCI layout' };
const SKOPEO_FOLDER: FolderKind = {
  prefix: 'dir',
  index: 'manifest.json',
  words: 'a folder that skopeo has written',
};

/** @throws AtomicError ARCHIVE_INVALID, SOURCE_UNREADABLE; failed system calls */
export async function readLayoutFolder(folder: string): Promise<string> {
  const text = await readIndexFile(folder, LAYOUT);
  const blobs = `${folder}/blobs`;
  for (const { name } of await listEntries(blobs)) await refuseSpecialFiles(`${blobs}/${name}`, () => true);
  return text;
}

/** @throws AtomicError as `readLayoutFolder` */
export async function checkDirFolder(folder: string): Promise<void> {
  await readIndexFile(folder, SKOPEO_FOLDER);
  await refuseSpecialFiles(folder, (name) => DIR_MEMBER.test(name));
}

async function readIndexFile(folder: string, kind: FolderKind): Promise<string> {
  try {
    const path = `${folder}/${kind.index}`;
    const stats = await stat(path);
    if (stats.isDirectory()) throw sourceUnreadable(path, 'it is a folder');
    if (!stats.isFile()) throw notAFile(path);
    if (stats.size > MAX_MANIFEST_BYTES) {
      throw archiveInvalid(path, `${stats.size} bytes are more than ${MAX_MANIFEST_BYTES}`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isErrno(error, ...noPath)) throw error;
    const problem = `it has no ${kind.index}, so it is not ${kind.words}`;
    throw archiveInvalid(folder, problem, await findOtherPrefix(folder, kind));
  }
}

async function findOtherPrefix(path: string, kind: FolderKind): Promise<string | undefined> {
  if ((await stat(path)).isFile()) {
    const shown = toPrintable(path);
    return `It is a file. If it is an archive: dockertar:${shown} for one of "docker save", oci-archive:${shown} for one of an OCI layout`;
  }
  const other = kind === LAYOUT ? SKOPEO_FOLDER : LAYOUT;
  const names = (await listEntries(path)).map(({ name }) => name);
  return names.includes(other.index) ? formatOtherPrefix(path, other.words, other.prefix) : undefined;
}

/** skopeo opens a FIFO and waits for a writer, and signals do not end that wait. A device may have no end. */
async function refuseSpecialFiles(folder: string, isOpened: (name: string) => boolean): Promise<void> {
  for (const entry of await listEntries(folder)) {
    // Some filesystems do not report the type in a listing, so `stat` decides.
    if (!isOpened(entry.name) || entry.isFile() || entry.isDirectory()) continue;
    const path = `${folder}/${entry.name}`;
    const stats = await tolerateMissingAsync(() => stat(path));
    if (stats !== undefined && !stats.isFile() && !stats.isDirectory()) throw notAFile(path);
  }
}

/** @returns an empty list for a missing folder; skopeo reports it if the image needs it */
async function listEntries(folder: string): Promise<readonly Dirent[]> {
  return (await tolerateMissingAsync(() => readdir(folder, { withFileTypes: true }), noPath)) ?? [];
}

function notAFile(path: string): AtomicError {
  return sourceUnreadable(path, 'it is neither a file nor a folder');
}
