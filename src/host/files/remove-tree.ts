/**
 * Removes folders of untrusted content. Everything happens through open folders (`/proc/self/fd/N/NAME`) that were
 * opened without following symlinks. So the owner of a folder inside cannot redirect the removal by swapping names while
 * it runs. The removal stays on the filesystem of the first folder.
 *
 * The calls are synchronous: thousands of them through the thread pool take several times as long.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, tolerateMissing, withFileErrors } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import { listMountsBelow } from '../mounts/mount-table.ts';

const openFolder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Removes a folder and everything in it. Does nothing when the folder is missing. After a crash a part of it remains; the
 * next call removes that part.
 *
 * @param path absolute, without symlinks in it
 * @throws DEPLOYMENT_IN_USE when something is mounted in it; then nothing was removed
 */
export async function removeTree(path: string): Promise<void> {
  await requireNoMounts(path);
  await withFileErrors(`remove ${path}`, async () => {
    const root = openIfThere(path);
    if (root === undefined) return;
    try {
      emptyFolder(root, fstatSync(root).dev, path);
    } finally {
      closeSync(root);
    }
    rmdirSync(path);
  });
}

/** The failures of a removal that leave a folder: it is missing, has content, is a mount point, or is not a folder. */
export const folderStays: readonly string[] = ['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOTDIR'];

/** @throws failed system calls */
export function removeFolderIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isErrno(error, ...folderStays)) throw error;
  }
}

/** @throws DEPLOYMENT_IN_USE when something is mounted at or below `path` */
export async function requireNoMounts(path: string): Promise<void> {
  const [mount] = await listMountsBelow(path);
  if (mount !== undefined) throw buildInUse(path, mount);
}

function openIfThere(path: string): number | undefined {
  return tolerateMissing(() => openSync(path, openFolder));
}

/** Names are bytes here, because an image may hold names that are not UTF-8. */
function emptyFolder(folder: number, device: number, shown: string): void {
  const base = Buffer.from(`/proc/self/fd/${folder}/`);
  for (const name of readdirSync(base, { encoding: 'buffer' })) {
    const path = Buffer.concat([base, name]);
    if (unlinkUnlessFolder(path)) continue;
    const child = openSync(path, openFolder);
    try {
      const childShown = `${shown}/${name.toString()}`;
      if (fstatSync(child).dev !== device) throw buildInUse(shown, childShown);
      emptyFolder(child, device, childShown);
    } finally {
      closeSync(child);
    }
    rmdirSync(path);
  }
}

/** @returns false when it is a folder: Linux answers EISDIR then */
function unlinkUnlessFolder(path: Buffer): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EISDIR')) return false;
    throw error;
  }
}

function buildInUse(path: string, mount: string): AtomicError {
  const printable = toPrintable(mount);
  return new AtomicError('DEPLOYMENT_IN_USE', `remove ${path}: something is mounted at ${printable}`, {
    hint: `Stop what uses the mount, run \`umount ${printable}\` and repeat the command.`,
  });
}
