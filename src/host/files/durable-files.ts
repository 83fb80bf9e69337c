/**
 * Files that are complete or absent, also after a power cut. A change of a directory is on the disk after
 * `syncDirectory` or `syncFilesystemOf`; callers call these once for several changes.
 */
import { access, constants, mkdir, open, rename, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isErrno, noPath, toFileError, tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { unlinkIfThere } from './unlink-file.ts';

/**
 * Builds the name under which a file is written before it is renamed to `path`. The name is fixed, so that the next
 * command finds the remains of a crash; the caller holds the lock that guards `path`. The dot and the suffix hide the
 * file from systemd.
 */
export function temporaryPath(path: string): string {
  return `${dirname(path)}/.${basename(path)}.new`;
}

/**
 * Writes a whole file: it syncs the content under a temporary name, then renames the file. After a crash the old file
 * or the new file exists, and perhaps the temporary file.
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
      unlinkIfThere(temporary);
      throw error;
    }
  });
}

/**
 * Checks before an operation begins that a folder can be changed. A missing folder is not an error.
 *
 * @throws READ_ONLY
 */
export async function requireWritable(folder: string): Promise<void> {
  await withFileErrors(`change ${folder}`, () => tolerateMissingAsync(() => access(folder, constants.W_OK)));
}

/** Removes a file, and the temporary file that a crash may have left. Does nothing when there is none. */
export async function removeFile(path: string): Promise<void> {
  await withFileErrors(`remove ${path}`, async () => {
    unlinkIfThere(temporaryPath(path));
    unlinkIfThere(path);
  });
}

/** Creates a folder and its missing parents with mode 0755 minus the umask, and syncs them. */
export async function ensureDirectory(path: string): Promise<void> {
  await withFileErrors(`create folder ${path}`, async () => {
    const outermost = await mkdir(path, { recursive: true });
    if (outermost === undefined) return;
    for (let made = path; made.length >= outermost.length; made = dirname(made)) {
      await syncDirectory(dirname(made));
    }
  });
}

/** Writes the entries of a folder to the disk: names that were created, renamed or removed. */
export async function syncDirectory(path: string): Promise<void> {
  await syncFile(path);
}

/** Writes the content of a file to the disk. For its name call `syncDirectory`. */
export async function syncFile(path: string): Promise<void> {
  await withFileErrors(`sync ${path}`, async () => {
    const file = await open(path, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/** Writes all changes of the filesystem that holds `path` to the disk, with one call for any number of files. */
export async function syncFilesystemOf(path: string): Promise<void> {
  const { syncFilesystem } = await import('../../native/libc.ts');
  await withFileErrors(`sync the filesystem of ${path}`, async () => {
    const folder = await open(path, 'r');
    try {
      syncFilesystem(folder.fd);
    } finally {
      await folder.close();
    }
  });
}

/**
 * Writes all changes of the filesystems that hold these paths to the disk, each filesystem once. For a missing path the
 * nearest existing parent counts.
 */
export async function syncFilesystemsOf(paths: readonly string[]): Promise<void> {
  const folders = new Map<number, string>();
  for (const path of paths) {
    const folder = await findNearestFolder(path);
    if (!folders.has(folder.device)) folders.set(folder.device, folder.path);
  }
  for (const path of folders.values()) await syncFilesystemOf(path);
}

/** Follows symlinks, as the programs that wrote there did. Devices and pipes are not opened. */
async function findNearestFolder(path: string): Promise<{ readonly path: string; readonly device: number }> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return { path, device: stats.dev };
  } catch (error) {
    if (!isErrno(error, ...noPath)) throw toFileError(error, `look at ${path}`);
  }
  return findNearestFolder(dirname(path));
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
