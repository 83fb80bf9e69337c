/** The directory for a mount. It is held open, so that no other process can replace it meanwhile. */
import { constants, type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import { requireFindable } from '../working-directory.ts';

export interface MountPoint {
  /** Absolute, without symlinks. */
  readonly path: string;
  /** The same directory through its open file; valid while the action runs. */
  readonly held: string;
}

/**
 * Runs an action with an empty directory.
 *
 * @param written the path as typed
 * @throws BAD_VALUE when there is no such directory, FILE_CONFLICT when it is not empty
 */
export async function withMountPoint<T>(
  written: string,
  action: (point: MountPoint) => Promise<T>,
): Promise<T> {
  const directory = await openDirectory(written);
  try {
    const held = `/proc/self/fd/${directory.fd}`;
    await requireEmpty(held, written);
    return await action({ path: await realpath(held), held });
  } finally {
    await directory.close();
  }
}

/**
 * Checks the directory again with the lock for mounts, because two commands for one directory may both have found it
 * empty.
 *
 * @throws FILE_CONFLICT when a mount or a file was created there meanwhile
 */
export async function requireStillEmpty({ path, held }: MountPoint): Promise<void> {
  const [named, opened] = await Promise.all([stat(path), stat(held)]);
  if (named.dev !== opened.dev || named.ino !== opened.ino) {
    throw new AtomicError(
      'FILE_CONFLICT',
      `mounting at ${toPrintable(path)}: something was mounted there meanwhile`,
      { hint: 'Name another directory; `findmnt` shows what is mounted.', details: { directory: path } },
    );
  }
  await requireEmpty(held, path);
}

/** Finds the real path of a directory. When it does not exist, the symlinks of its existing parents are resolved. */
export async function resolveMountPoint(written: string): Promise<string> {
  requireFindable(written);
  const existing = await tolerateMissingAsync(() => realpath(written));
  if (existing !== undefined) return existing;
  const { basename, dirname, join, resolve } = await import('node:path');
  const absolute = resolve(written);
  return join(await resolveMountPoint(dirname(absolute)), basename(absolute));
}

async function openDirectory(written: string): Promise<FileHandle> {
  requireFindable(written);
  try {
    return await open(written, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const isMissing = isErrno(error, 'ENOENT');
    if (!isMissing && !isErrno(error, 'ENOTDIR')) {
      return withFileErrors(`open ${toPrintable(written)}`, () => Promise.reject(error));
    }
    const reason = isMissing ? 'there is no such directory' : 'it is not a directory';
    throw new AtomicError('BAD_VALUE', `mounting at ${toPrintable(written)}: ${reason}`, {
      hint: isMissing ? 'Create it with mkdir.' : 'Name an empty directory.',
    });
  }
}

async function requireEmpty(path: string, written: string): Promise<void> {
  if ((await readdir(path)).length === 0) return;
  throw new AtomicError('FILE_CONFLICT', 'The destination path is not empty.', {
    hint: 'Name an empty directory.',
    details: { directory: written },
  });
}

/**
 * Runs an action with other names for directories. The names have no character with a meaning in mount options.
 *
 * @param paths absolute; a symlink as the last element is refused
 * @param action gets `/proc/self/fd/N` for each directory, valid while the action runs
 */
export async function withDirectories<T>(
  paths: readonly string[],
  action: (names: readonly string[]) => Promise<T>,
): Promise<T> {
  const opened: FileHandle[] = [];
  try {
    for (const path of paths) {
      const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
      opened.push(await withFileErrors(`open ${path}`, () => open(path, flags)));
    }
    return await action(opened.map(({ fd }) => `/proc/self/fd/${fd}`));
  } finally {
    for (const directory of opened) await directory.close();
  }
}
