/**
 * Files that are whole or not there, also after a power cut. A change of a directory is on the disk after
 * `syncDirectory` or `syncFilesystemOf`; callers place those so that one covers several changes.
 */
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isNameTaken } from './existing-paths.ts';
import { isErrno, withFileErrors } from './file-error.ts';

/**
 * The name under which a file is built before it is renamed to `path`. It is fixed, so that what a crash leaves is
 * known; the caller holds the lock that guards `path`. The leading dot and the ending keep systemd from reading it.
 */
export function temporaryPath(path: string): string {
  return `${dirname(path)}/.${basename(path)}.new`;
}

/**
 * Writes a whole file: content synced under a temporary name, then renamed. After a crash there is the old file or the
 * new one, and perhaps the temporary one.
 *
 * @param mode permission bits, set regardless of the umask
 * @throws NO_SPACE, READ_ONLY, STORE_FAILED
 */
export async function writeFileDurably(path: string, content: string, mode: number): Promise<void> {
  await withFileErrors(`write ${path}`, async () => {
    const temporary = temporaryPath(path);
    try {
      await writeSynced(temporary, content, mode);
      await rename(temporary, path);
    } catch (error) {
      await unlinkIfThere(temporary);
      throw error;
    }
  });
}

/** Removes a file and what a crash left of writing it. Does nothing when there is none. */
export async function removeFile(path: string): Promise<void> {
  await withFileErrors(`remove ${path}`, async () => {
    await unlinkIfThere(temporaryPath(path));
    await unlinkIfThere(path);
  });
}

/** Creates a folder and its missing parents, mode 0755 minus the umask. */
export async function ensureDirectory(path: string): Promise<void> {
  await withFileErrors(`create folder ${path}`, () => mkdir(path, { recursive: true }));
}

/** Writes the entries of a folder to the disk: what was created, renamed or removed in it. */
export async function syncDirectory(path: string): Promise<void> {
  await withFileErrors(`sync ${path}`, async () => {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  });
}

/** Writes everything of the filesystem that holds `path` to the disk; one call however many files. */
export async function syncFilesystemOf(path: string): Promise<void> {
  const { syncFilesystem } = await import('../native/libc.ts');
  await withFileErrors(`sync the filesystem of ${path}`, async () => {
    const folder = await open(path, 'r');
    try {
      syncFilesystem(folder.fd);
    } finally {
      await folder.close();
    }
  });
}

async function writeSynced(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, 'w', mode);
  try {
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A read-only filesystem refuses to remove also what is not there. */
async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (isErrno(error, 'EROFS') && !(await isNameTaken(path))) return;
    throw error;
  }
}
