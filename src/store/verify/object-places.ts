/** Finds the paths of objects in directory trees. */

import { compareUtf8 } from '../../base/compare-utf8.ts';
import type { TreeChecksums } from '../../ostree/layer-tree.ts';
import type { ImageRoot } from '../image-root.ts';
import { formatObjectKey } from './object-verifier.ts';

/**
 * Finds all paths of the given objects below a directory. Directories among them are damaged, so their content is not read.
 *
 * @param wanted keys of objects, see `formatObjectKey`
 * @returns key -> absolute paths, sorted; the root is `/`
 */
export function findPaths(
  root: ImageRoot,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const holds = new Map<string, boolean>();
  const add = (key: string, path: string): void => {
    if (wanted.has(key)) found.set(key, [...(found.get(key) ?? []), path]);
  };
  /** Equal folders occur at many paths, and most have none of the objects, so the result is remembered. */
  const holdsWanted = ({ dirtree, dirmeta }: TreeChecksums): boolean => {
    if (wanted.has(formatObjectKey('dirmeta', dirmeta))) return true;
    if (wanted.has(formatObjectKey('dirtree', dirtree))) return true;
    const known = holds.get(dirtree);
    if (known !== undefined) return known;
    const { files, directories } = root.readTree(dirtree);
    const result =
      files.some(({ checksum }) => wanted.has(formatObjectKey('file', checksum))) ||
      directories.some(holdsWanted);
    holds.set(dirtree, result);
    return result;
  };
  const visit = (folder: TreeChecksums, path: string): void => {
    if (!holdsWanted(folder)) return;
    const shown = path === '' ? '/' : path;
    add(formatObjectKey('dirmeta', folder.dirmeta), shown);
    add(formatObjectKey('dirtree', folder.dirtree), shown);
    if (wanted.has(formatObjectKey('dirtree', folder.dirtree))) return;
    const { files, directories } = root.readTree(folder.dirtree);
    for (const { name, checksum } of files) add(formatObjectKey('file', checksum), `${path}/${name}`);
    for (const directory of directories) visit(directory, `${path}/${directory.name}`);
  };
  visit(root, '');
  for (const paths of found.values()) paths.sort(compareUtf8);
  return found;
}
