/** Opens the repository for writing, and creates it on the first use. Its layout is drawn in `object-files.ts`. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AtomicError } from '../core/errors.ts';
import { toPrintable } from '../core/printable.ts';
import type { Host } from '../host/host.ts';
import type { Pointer } from '../native/glib.ts';
import { withStoreErrors } from './store-error.ts';

/**
 * Runs an action with the repository open.
 *
 * @throws AtomicError TOOL_MISSING without libostree, NO_SPACE, READ_ONLY, STORE_FAILED, also when it has another mode
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
    if (hasRepository(host)) {
      requireMode(host);
      return openRepository(repository);
    }
    mkdirSync(dirname(repository), { recursive: true });
    return createRepository(repository, repositoryMode);
  });
}

/**
 * Objects are written here in the form of one mode, and only `bare` has files with their owner, as root needs them for
 * hard links. Like libostree we take a repository that does not say its mode for a bare one.
 */
function requireMode({ locations }: Host): void {
  const { repository, repositoryMode } = locations;
  const mode = /^\s*mode\s*=\s*(\S+)/m.exec(readFileSync(`${repository}/config`, 'utf8'))?.[1] ?? 'bare';
  if (mode === repositoryMode) return;
  throw new AtomicError(
    'STORE_FAILED',
    `opening the image store ${repository}: its mode is ${toPrintable(mode)}, not ${repositoryMode}`,
    { hint: 'Name another folder in ATOMIC_OSTREE_REPO or as ostree_repository in /etc/atomic.conf.' },
  );
}
