/** Opens the repository for writing, and creates it on the first use. Its layout is drawn in `object-files.ts`. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Host } from '../host/host.ts';
import type { Pointer } from '../native/glib.ts';
import { withStoreErrors } from './store-error.ts';

/**
 * Runs an action with the repository open.
 *
 * @throws AtomicError TOOL_MISSING without libostree, NO_SPACE, READ_ONLY, STORE_FAILED
 */
export async function withRepository<T>(host: Host, action: (repo: Pointer) => Promise<T>): Promise<T> {
  const { closeRepository } = await withStoreErrors(
    'opening the image store',
    () => import('../native/ostree.ts'),
  );
  const repo = await openOrCreate(host);
  try {
    return await action(repo);
  } finally {
    closeRepository(repo);
  }
}

/** Whether there is a repository yet. */
export function hasRepository(host: Host): boolean {
  return existsSync(`${host.locations.repository}/config`);
}

async function openOrCreate(host: Host): Promise<Pointer> {
  const { repository, repositoryMode } = host.locations;
  return withStoreErrors(`opening the image store ${repository}`, async () => {
    const { createRepository, openRepository } = await import('../native/ostree.ts');
    if (hasRepository(host)) return openRepository(repository);
    mkdirSync(dirname(repository), { recursive: true });
    return createRepository(repository, repositoryMode);
  });
}
