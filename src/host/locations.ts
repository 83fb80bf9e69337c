/** Finds the folders of atomic on this machine (compatibility O-01 to O-06). Reads only; creates nothing. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Environment } from './host.ts';
import type { Settings } from './settings.ts';
import { requireFindable } from './working-directory.ts';

/** The folders of atomic on this machine (compatibility O-01). All paths are absolute. */
export interface Locations {
  /** CHECKOUTS: deployments and the symlinks that name them (O-01). */
  readonly checkouts: string;
  /** The OSTree repository (O-02). */
  readonly repository: string;
  /** `bare` for root, `bare-user` otherwise (O-03). */
  readonly repositoryMode: 'bare' | 'bare-user';
  /** Folder of the generated units (O-05). */
  readonly units: string;
  /** Folder of the generated tmpfiles.d files (O-06). */
  readonly tmpfiles: string;
  /** Folder of the folders `NAME.d` with patches of configurations. */
  readonly patches: string;
  /** Locks and journals of this program: `CHECKOUTS/.atomic`. */
  readonly state: string;
}

export const SYSTEM_CHECKOUTS = '/var/lib/containers/atomic';
export const HOST_REPOSITORY = '/ostree/repo';

/**
 * Builds the paths. Empty variables count as not set, and so do XDG variables with a relative path (XDG Base Directory
 * Specification).
 *
 * @param uid effective user of the caller
 */
export function findLocations(settings: Settings, env: Environment, uid: number): Locations {
  const isRoot = uid === 0;
  const home = env.HOME || '/';
  const dataFolder = env.XDG_DATA_HOME?.startsWith('/') ? env.XDG_DATA_HOME : join(home, '.local/share');
  const checkouts = resolveFindable(
    env.ATOMIC_OSTREE_CHECKOUT_PATH ||
      settings.checkoutPath ||
      (isRoot ? SYSTEM_CHECKOUTS : join(dataFolder, 'containers/atomic')),
  );
  return {
    checkouts,
    repository: resolveFindable(
      env.ATOMIC_OSTREE_REPO || findRepository(settings, checkouts, isRoot, dataFolder),
    ),
    repositoryMode: isRoot ? 'bare' : 'bare-user',
    units: isRoot ? '/etc/systemd/system' : join(home, '.config/systemd/user'),
    tmpfiles: isRoot ? '/etc/tmpfiles.d' : join(dataFolder, 'containers/tmpfiles'),
    patches: isRoot ? '/etc/atomic' : join(home, '.config/atomic'),
    state: join(checkouts, '.atomic'),
  };
}

/** @throws AtomicError BAD_VALUE for a relative path in a working directory that was deleted */
function resolveFindable(path: string): string {
  requireFindable(path);
  return resolve(path);
}

function findRepository(settings: Settings, checkouts: string, isRoot: boolean, dataFolder: string): string {
  if (!isRoot) return join(dataFolder, 'containers/atomic/repo');
  if (settings.ostreeRepository !== undefined) return settings.ostreeRepository;
  const storage = join(checkouts, '.storage');
  return existsSync(`${HOST_REPOSITORY}/config`) && isSameFilesystem(HOST_REPOSITORY, storage)
    ? HOST_REPOSITORY
    : join(storage, 'ostree');
}

/**
 * Compares the device of the repository with that of the nearest existing parent of the path. A bind mount can have the
 * same device and still refuse hard links; then the checkout fails with its own error.
 */
function isSameFilesystem(repository: string, path: string): boolean {
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  return statSync(repository).dev === statSync(folder).dev;
}
