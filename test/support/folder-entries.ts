/** Takes files of the checkout into a layer. */
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TarEntry } from './tar-writer.ts';

/**
 * Everything below `folder` as entries below `prefix` (`''` for the root), sorted by name. Owner and times are not
 * taken, and of the mode only whether a file is executable, as in git: the layer is the same from every checkout.
 */
export async function readFolderEntries(folder: string, prefix = ''): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const source = join(folder, name);
    const path = join(prefix, name);
    const stats = await lstat(source);
    if (stats.isDirectory()) {
      entries.push({ path, type: 'directory' }, ...(await readFolderEntries(source, path)));
    } else if (stats.isSymbolicLink()) {
      entries.push({ path, type: 'symlink', mode: 0o777, linkName: await readlink(source) });
    } else if (stats.isFile()) {
      entries.push({ path, mode: stats.mode & 0o100 ? 0o755 : 0o644, content: await readFile(source) });
    }
  }
  return entries;
}
