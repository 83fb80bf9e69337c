import { lstatSync, unlinkSync } from 'node:fs';
import { isErrno } from '../../base/file-error.ts';

/**
 * Removes a file. Does nothing when there is none; a folder is an error.
 *
 * The runtime's own `rm` is for folders only: of a file, it reports an error of the disk (EIO) as a bad address (EFAULT).
 *
 * @throws failed system calls
 */
export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    // A read-only filesystem also refuses to remove a missing file.
    if (isErrno(error, 'EROFS') && lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
    throw error;
  }
}
