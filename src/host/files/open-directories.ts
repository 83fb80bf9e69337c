import { constants, type FileHandle, open } from 'node:fs/promises';
import { withFileErrors } from '../../base/file-error.ts';

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
