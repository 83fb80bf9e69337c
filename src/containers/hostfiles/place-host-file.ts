/**
 * Writes one file of a deployment to its path on the host. The caller holds its folder open (open-host-folder.ts).
 *
 * ```
 * FOLDER/.NAME.atomic-part   a file that is being written
 * FOLDER/.NAME.atomic-keep    an old file that an operation has replaced or removed, until the operation is over
 * ```
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  lchownSync,
  linkSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { isErrno, withFileErrors } from '../../base/file-error.ts';
import { PERMISSIONS } from '../../base/file-mode.ts';
import { unlinkIfThere } from '../../host/files/unlink-file.ts';
import { withHostFolder } from './open-host-folder.ts';

/** @returns false when another file was created at the path meanwhile */
export function placeNew(staged: string, held: string): boolean {
  const part = writePart(staged, held);
  try {
    return linkIfFree(part, held);
  } finally {
    unlinkIfThere(part);
  }
}

/** @returns false when there is another file */
function linkIfFree(file: string, path: string): boolean {
  try {
    linkSync(file, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** @param keepsSpare keeps the old file under its second name */
export function replaceHostFile(staged: string, held: string, keepsSpare: boolean): void {
  const part = writePart(staged, held);
  try {
    const isFile = lstatSync(held, { throwIfNoEntry: false })?.isDirectory() === false;
    if (keepsSpare && isFile) keepAside(held);
    renameSync(part, held);
  } finally {
    unlinkIfThere(part);
  }
}

/** Removes a file, and keeps it under its second name. */
export function moveToSpare(held: string): void {
  renameSync(held, spareOf(held));
}

function keepAside(held: string): void {
  const spare = spareOf(held);
  unlinkIfThere(spare);
  linkSync(held, spare);
}

/** Restores a file from its spare, which needs no space. @returns false when another file was created at the path meanwhile */
export async function placeSpare(path: string, spare: string, isNew: boolean): Promise<boolean> {
  return withFileErrors(`restore ${path}`, async () => {
    const placed = withHostFolder(path, (held) => {
      const aside = spareOf(held);
      if (!isNew) renameSync(aside, held);
      return !isNew || linkIfFree(aside, held);
    });
    await removeBeside(spare);
    return placed ?? false;
  });
}

/** The temporary name of a host file; it is fixed, so that the next command can remove the remains of a crash. */
export function partOf(path: string): string {
  return `${dirname(path)}/.${basename(path)}.atomic-part`;
}

/** The name under which an old file stays until the operation is over; it is fixed, and as long as that of the part. */
export function spareOf(path: string): string {
  return `${dirname(path)}/.${basename(path)}.atomic-keep`;
}

/** Writes a complete copy beside the final path, with owner and mode, and syncs it. */
function writePart(staged: string, held: string): string {
  const part = partOf(held);
  const { mode, uid, gid } = lstatSync(staged);
  try {
    if (lstatSync(staged).isSymbolicLink()) {
      symlinkSync(readlinkSync(staged), part);
      lchownSync(part, uid, gid);
      return part;
    }
    copyFileSync(staged, part, constants.COPYFILE_EXCL);
    chownSync(part, uid, gid);
    chmodSync(part, mode & PERMISSIONS);
    syncPart(part);
    return part;
  } catch (error) {
    unlinkIfThere(part);
    throw error;
  }
}

function syncPart(part: string): void {
  const file = openSync(part, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** @param path of a part or of a spare */
export async function removeBeside(path: string): Promise<void> {
  await withFileErrors(`remove ${path}`, async () => withHostFolder(path, unlinkIfThere));
}
