/**
 * An export writes under a temporary name and renames the result when it is complete. The rename never overwrites: a file
 * that appears at the destination meanwhile stays, and an export removes only its own files.
 *
 * ```
 * FOLDER/.atomic-export-XXXXXX/NAME     a file or a folder; a kill leaves it, and no command removes it
 * ```
 */
import { link, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, withFileErrors } from '../../base/file-error.ts';
import { syncDirectory, syncFilesystemOf } from '../../host/files/durable-files.ts';
import type { FileDestination } from '../../image/export-destination.ts';
import { conflict } from './file-destination.ts';

interface Unpublished {
  /** Destination to which skopeo writes. */
  readonly target: FileDestination;
  /** @throws AtomicError FILE_CONFLICT when the destination exists by now; NO_SPACE, READ_ONLY, STORE_FAILED */
  publish(): Promise<void>;
  /** Removes the files that were not published. */
  remove(): Promise<void>;
}

/** @throws AtomicError NO_SPACE, READ_ONLY, STORE_FAILED */
export async function createUnpublished(destination: FileDestination): Promise<Unpublished> {
  const { kind } = destination;
  // The last element of `new/.` is not a name.
  const path = normalize(destination.path);
  const parent = dirname(path);
  return withFileErrors(`write ${path}`, async () => {
    const isFolder = kind === 'oci' || kind === 'dir';
    if (isFolder) await mkdir(parent, { recursive: true });
    const folder = await makeFolder(join(parent, '.atomic-export-'));
    const temporary = join(folder, basename(path));
    return {
      target: { ...destination, path: temporary },
      async publish() {
        await syncFilesystemOf(temporary);
        await (isFolder ? renameFolder(temporary, path) : renameFile(temporary, path));
        await syncDirectory(parent);
      },
      remove: () => rm(folder, { recursive: true, force: true }),
    };
  });
}

async function makeFolder(prefix: string): Promise<string> {
  try {
    return await mkdtemp(prefix);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new AtomicError('STORE_FAILED', `no folder can be made in ${dirname(prefix)}`, {
      hint: 'Write to a filesystem that stores files.',
      cause: error,
    });
  }
}

async function renameFolder(from: string, to: string): Promise<void> {
  await withFileErrors(`write ${to}`, async () => {
    const { renameNew } = await import('../../native/libc.ts');
    try {
      renameNew(from, to);
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw appeared(to);
      // Some network filesystems have only the plain rename, which replaces nothing but an empty folder here.
      if (!isErrno(error, 'EINVAL', 'ENOSYS')) throw error;
      await renameOverEmpty(from, to);
    }
  });
}

async function renameOverEmpty(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw appeared(to);
    throw error;
  }
}

async function renameFile(from: string, to: string): Promise<void> {
  await withFileErrors(`write ${to}`, async () => {
    try {
      await linkOrRename(from, to);
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw appeared(to);
      throw error;
    }
  });
}

/** A hard link never overwrites. FAT, as on a USB stick, has no hard links, but has a rename that does not overwrite. */
async function linkOrRename(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS')) throw error;
    const { renameNew } = await import('../../native/libc.ts');
    renameNew(from, to);
  }
}

function appeared(path: string): AtomicError {
  return conflict(path, 'it has appeared meanwhile', 'Write another path.');
}
