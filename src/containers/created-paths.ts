/** What `systemd-tmpfiles --create` makes, so that it can be taken back. */
import { lstat, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isNameTaken } from '../host/existing-paths.ts';
import { isErrno, toFileError } from '../host/file-error.ts';

/** tmpfiles.d(5): the types that create something at their path, and those of them that create a folder. */
const creatingTypes = 'fFdDvqQpLcbC';
const folderTypes = 'dDvqQ';

/**
 * Lists the paths that lines of a tmpfiles.d file would create, with their missing parent folders, outermost first.
 * Paths with specifiers, globs or quotes are left out: guessing them wrong would remove something else.
 */
export async function listPathsToCreate(tmpfiles: string): Promise<readonly string[]> {
  const missing = new Set<string>();
  for (const path of parseCreatedPaths(tmpfiles)) {
    for (let parent = path; parent !== '/' && !(await isNameTaken(parent)); parent = dirname(parent)) {
      missing.add(parent);
    }
  }
  return [...missing].sort();
}

/**
 * Lists the folders below `/run` that lines of a tmpfiles.d file create. `systemd-tmpfiles --remove` empties some of
 * them and leaves them there; nothing in `/run` is meant to last.
 */
export function listVolatileFolders(tmpfiles: string): readonly string[] {
  return parseCreatedPaths(tmpfiles, folderTypes)
    .filter((path) => path.startsWith('/run/'))
    .sort();
}

export function parseCreatedPaths(tmpfiles: string, types = creatingTypes): readonly string[] {
  return tmpfiles.split('\n').flatMap((line) => {
    const [type = '', path = ''] = line.trim().split(/\s+/);
    const isPlain = /^\/[^%*?[\]"'\\]*[^%*?[\]"'\\/]$/.test(path) && !path.split('/').includes('..');
    return types.includes(type.charAt(0) || '#') && isPlain ? [path] : [];
  });
}

/** Gone already, filled meanwhile, or mounted upon. */
const acceptable = ['ENOENT', 'ENOTEMPTY', 'EBUSY'];

/** Removes files and empty folders, innermost first. Folders that have got content stay. */
export async function removeCreatedPaths(paths: readonly string[]): Promise<void> {
  for (const path of paths.toReversed()) {
    try {
      if ((await lstat(path)).isDirectory()) await rmdir(path);
      else await unlink(path);
    } catch (error) {
      if (!acceptable.some((errno) => isErrno(error, errno))) throw toFileError(error, `remove ${path}`);
    }
  }
}
