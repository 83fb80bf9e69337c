/** Records and undoes what `systemd-tmpfiles --create` does for a container. */
import { lstat, readdir, readFile, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno, toFileError, tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { syncFilesystemsOf } from '../../host/files/durable-files.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import { folderStays } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { runProgram } from '../../host/run-program.ts';
import { buildCreateCommand, listTmpfilesFolders } from '../../host/systemd/systemd-tmpfiles.ts';
import { listCreatedFolders, listCreatedPaths, listNamedPaths } from '../../host/systemd/tmpfiles-lines.ts';
import { listDeployments } from '../list-deployments.ts';

/** A path that a tmpfiles.d file names. */
interface DeclaredPath {
  readonly path: string;
  readonly file: string;
}

/** Lists the paths that the lines would create, with their missing parent folders, outermost first. */
export async function listPathsToCreate(tmpfiles: string): Promise<readonly string[]> {
  return listMissing(listCreatedPaths(tmpfiles));
}

/**
 * Lists the folders below `/run` that the lines would create, with their missing parents, outermost first: an uninstall
 * removes them. A folder that another container has created is included, because the last container removes it.
 */
export async function listFoldersToCreate(host: Host, tmpfiles: string): Promise<readonly string[]> {
  const named = listCreatedFolders(tmpfiles).filter((path) => path.startsWith('/run/'));
  if (named.length === 0) return [];
  const created = (await listDeployments(host)).flatMap(({ record }) => record.createdFolders);
  const shared = created.filter((path) => named.some((other) => isAtOrBelow(other, path)));
  return [...new Set([...(await listMissing(named)), ...shared])].sort();
}

async function listMissing(paths: readonly string[]): Promise<readonly string[]> {
  const missing = new Set<string>();
  for (const path of paths) {
    for (let parent = path; parent !== '/' && !(await isNameTaken(parent)); parent = dirname(parent)) {
      missing.add(parent);
    }
  }
  return [...missing].sort();
}

/**
 * Removes files and empty folders, innermost first, and syncs.
 *
 * @param own the tmpfiles.d file that is removed with them. paths in other files stay, and folders with content stay
 * @returns the paths that still exist
 */
export async function removeCreatedPaths(
  host: Host,
  own: string | undefined,
  paths: readonly string[],
): Promise<readonly string[]> {
  return removePaths(host, own, paths, async (path) => {
    if ((await lstat(path)).isDirectory()) await rmdir(path);
    else await unlink(path);
  });
}

/** The same for folders only: a path that is no longer a folder belongs to another program. */
export async function removeCreatedFolders(
  host: Host,
  own: string | undefined,
  paths: readonly string[],
): Promise<readonly string[]> {
  return removePaths(host, own, paths, rmdir);
}

/** Syncs the paths that the lines created or removed, each filesystem once. */
export async function syncDeclaredPaths(tmpfiles: string): Promise<void> {
  // An unknown specifier may mean any path.
  await syncFilesystemsOf(listNamedPaths(tmpfiles).filter((path) => path.startsWith('/')));
}

async function removePaths(
  host: Host,
  own: string | undefined,
  paths: readonly string[],
  remove: (path: string) => Promise<void>,
): Promise<readonly string[]> {
  if (paths.length === 0) return [];
  const declared = await listDeclaredPaths(host, own);
  const free = paths.filter((path) => !declared.some((other) => isAtOrBelow(other.path, path)));
  for (const path of free.toReversed()) {
    try {
      await remove(path);
    } catch (error) {
      if (!isErrno(error, ...folderStays)) throw toFileError(error, `remove ${path}`);
    }
  }
  await restoreDeclaredPaths(host, own, free);
  await syncFilesystemsOf(paths);
  const left = await Promise.all(paths.map(isNameTaken));
  return paths.filter((_, index) => left[index]);
}

/**
 * Creates removed paths again that another install has needed meanwhile. An install writes its tmpfiles.d file before
 * it creates paths: so either the file exists now, or that install creates the path later.
 */
export async function restoreDeclaredPaths(
  host: Host,
  own: string | undefined,
  paths: readonly string[],
): Promise<void> {
  for (const { path, file } of await listDeclaredPaths(host, own)) {
    const isRemoved = paths.some((removed) => isAtOrBelow(path, removed)) && !(await isNameTaken(path));
    if (isRemoved) await runProgram(host, buildCreateCommand(file, path));
  }
}

async function listDeclaredPaths(host: Host, own: string | undefined): Promise<readonly DeclaredPath[]> {
  const declared: DeclaredPath[] = [];
  for (const folder of listTmpfilesFolders(host.locations)) {
    for (const name of (await readIfThere(folder, () => readdir(folder))) ?? []) {
      const file = `${folder}/${name}`;
      if (!name.endsWith('.conf') || file === own) continue;
      const text = await readIfThere(file, () => readFile(file, 'utf8'));
      if (text !== undefined) declared.push(...listNamedPaths(text).map((path) => ({ path, file })));
    }
  }
  return declared;
}

async function readIfThere<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  return withFileErrors(`read ${path}`, () =>
    // A dangling symlink, and a folder with the name of a file.
    tolerateMissingAsync(read, ['ENOENT', 'EISDIR']),
  );
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
