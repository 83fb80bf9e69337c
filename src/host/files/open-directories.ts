import { constants, type FileHandle, open } from 'node:fs/promises';
import { withFileErrors } from '../../base/file-error.ts';

/**
 * Runs an action with other names for directories: such that hold no character which means something in the options of
 * a mount.
 *
 * @param paths absolute; a symlink at the end is refused
 * @param action gets `/proc/self/fd/N` for each, good while it runs
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
