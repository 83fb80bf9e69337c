/** Finds where things are on this machine (compatibility O-01 to O-06). Reads only; creates nothing. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Locations } from '../core/locations.ts';
import type { Settings } from '../core/settings.ts';

const SYSTEM_CHECKOUTS = '/var/lib/containers/atomic';
const HOST_REPOSITORY = '/ostree/repo';

type Environment = Readonly<Record<string, string | undefined>>;

export function findLocations(settings: Settings, env: Environment, uid: number): Locations {
  const isRoot = uid === 0;
  const dataFolder = env.XDG_DATA_HOME ?? join(env.HOME ?? '/', '.local/share');
  const checkouts = resolve(
    env.ATOMIC_OSTREE_CHECKOUT_PATH ??
      settings.checkoutPath ??
      (isRoot ? SYSTEM_CHECKOUTS : join(dataFolder, 'containers/atomic')),
  );
  return {
    checkouts,
    repository: resolve(env.ATOMIC_OSTREE_REPO ?? findRepository(settings, checkouts, isRoot, dataFolder)),
    repositoryMode: isRoot ? 'bare' : 'bare-user',
    units: isRoot ? '/etc/systemd/system' : join(env.HOME ?? '/', '.config/systemd/user'),
    tmpfiles: isRoot ? '/etc/tmpfiles.d' : join(dataFolder, 'containers/tmpfiles'),
    state: join(checkouts, '.atomic'),
  };
}

function findRepository(settings: Settings, checkouts: string, isRoot: boolean, dataFolder: string): string {
  if (!isRoot) return join(dataFolder, 'containers/atomic/repo');
  if (settings.ostreeRepository !== undefined) return settings.ostreeRepository;
  return existsSync(`${HOST_REPOSITORY}/config`) && isSameFilesystem(HOST_REPOSITORY, checkouts)
    ? HOST_REPOSITORY
    : join(checkouts, '.storage/ostree');
}

/**
 * Compares the device of the repository with that of the first existing folder of the path. A bind mount can have the
 * same device and still refuse hard links; the checkout then says so.
 */
function isSameFilesystem(repository: string, path: string): boolean {
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  return statSync(repository).dev === statSync(folder).dev;
}
