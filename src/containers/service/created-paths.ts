/** What `systemd-tmpfiles --create` makes for a container, so that it can be taken back. */
import { lstat, readdir, readFile, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno, toFileError, withFileErrors } from '../../base/file-error.ts';
import { syncFilesystemsOf } from '../../host/files/durable-files.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import { runProgram } from '../../host/run-program.ts';
import { buildCreateCommand, listTmpfilesFolders } from '../../host/systemd/systemd-tmpfiles.ts';
import { listCreatedFolders, listCreatedPaths, listNamedPaths } from '../../host/systemd/tmpfiles-lines.ts';
import { listDeployments } from '../list-deployments.ts';

/** A path that some tmpfiles.d file names. */
interface DeclaredPath {
  readonly path: string;
  readonly file: string;
}

/** Lists the paths that the lines would create, with their missing parent folders, outermost first. */
export async function listPathsToCreate(tmpfiles: string): Promise<readonly string[]> {
  return listMissing(listCreatedPaths(tmpfiles));
}

/**
 * Lists the folders below `/run` that the lines would create, with their missing parents, outermost first: those go with
 * the container. One that another container has created counts, because the last of them takes it away.
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
 * Removes files and empty folders, innermost first, also from the disk.
 *
 * @param own the tmpfiles.d file that goes with them; what another one names stays, and so do folders that have got content
 * @returns what is still there
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

/** The same for folders only: what is no folder any more is another person's. */
export async function removeCreatedFolders(
  host: Host,
  own: string | undefined,
  paths: readonly string[],
): Promise<readonly string[]> {
  return removePaths(host, own, paths, rmdir);
}

/** Brings to the disk what the lines have created or removed, on each filesystem. */
export async function syncDeclaredPaths(tmpfiles: string): Promise<void> {
  // Of an unknown specifier the path may be anything.
  await syncFilesystemsOf(listNamedPaths(tmpfiles).filter((path) => path.startsWith('/')));
}

/** Gone already, filled meanwhile, mounted upon, or no folder. */
const acceptable = ['ENOENT', 'ENOTEMPTY', 'EBUSY', 'ENOTDIR'];

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
      if (!acceptable.some((errno) => isErrno(error, errno))) throw toFileError(error, `remove ${path}`);
    }
  }
  await restoreDeclaredPaths(host, own, free);
  await syncFilesystemsOf(paths);
  const left = await Promise.all(paths.map(isNameTaken));
  return paths.filter((_, index) => left[index]);
}

/**
 * Makes again what another install has come to rely on while this one removed it. An install writes its file before it
 * creates anything: so either the file is seen here, or that install creates the path itself later.
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
  return withFileErrors(`read ${path}`, async () => {
    try {
      return await read();
    } catch (error) {
      // A dangling symlink, and a folder that is called like a file.
      if (isErrno(error, 'ENOENT') || isErrno(error, 'EISDIR')) return undefined;
      throw error;
    }
  });
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
