/** Finds the lines of a tmpfiles.d file that change paths outside the container's own folders (tmpfiles.d(5)). */
import type { Privilege } from './privilege.ts';

/** @param ownFolders folders of the host that belong to the container */
export function listTmpfilesPrivileges(
  tmpfiles: string,
  ownFolders: readonly string[],
): readonly Privilege[] {
  const subjects = tmpfiles
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '' && !line.startsWith('#') && !isOwn(line, ownFolders));
  return [...new Set(subjects)].map((subject) => ({ kind: 'tmpfiles', subject }));
}

/** A quoted path, and a path with `..`, a specifier or a glob, counts as outside, because its target is unknown. */
function isOwn(line: string, ownFolders: readonly string[]): boolean {
  const path = line.split(' ')[1] ?? '';
  if (!/^\/[^%*?[\]"'\\]*$/.test(path) || path.split('/').includes('..')) return false;
  return ownFolders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
