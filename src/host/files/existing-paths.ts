import { lstat, stat } from 'node:fs/promises';
import { isErrno, noPath, toFileError } from '../../base/file-error.ts';

/** Lists the paths that exist on the host. Symlinks are followed. */
export async function listExisting(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map((path) => exists(path, stat)));
  return paths.filter((_, index) => found[index]);
}

/** Whether a file of any kind has this name; a dangling symlink counts. */
export async function isNameTaken(path: string): Promise<boolean> {
  return exists(path, lstat);
}

async function exists(path: string, look: (path: string) => Promise<unknown>): Promise<boolean> {
  try {
    await look(path);
    return true;
  } catch (error) {
    if (isErrno(error, ...noPath)) return false;
    throw toFileError(error, `look at ${path}`);
  }
}

/** Formats the device and the inode of a file: all hard links have the same pair, and no other file has it meanwhile. */
export function formatFileIdentity({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}
