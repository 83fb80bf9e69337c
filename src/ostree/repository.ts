/** Opens the repository for writing, and creates it on first use. `object-files.ts` shows its layout. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import { FileMode } from '../base/file-mode.ts';
import { toPrintable } from '../base/printable.ts';
import { syncDirectory, syncFile } from '../host/files/durable-files.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import type { Host } from '../host/host.ts';
import type { Pointer } from '../native/glib.ts';
import { withStoreErrors } from './store-error.ts';
import { makeWaitingPath } from './waiting-files.ts';

/**
 * Runs an action with the repository open.
 *
 * @throws AtomicError TOOL_MISSING without libostree, NO_SPACE, READ_ONLY, STORE_FAILED (also when its mode is wrong)
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

/** Whether there is a repository, perhaps an incomplete one. After a power cut its configuration may be empty. */
export function hasRepository({ locations: { repository } }: Host): boolean {
  return (statSync(formatConfigPath(repository), { throwIfNoEntry: false })?.size ?? 0) > 0;
}

async function openOrCreate(host: Host): Promise<Pointer> {
  const { repository, repositoryMode } = host.locations;
  return withStoreErrors(`opening the image store ${repository}`, async () => {
    const { createRepository, openRepository } = await import('../native/ostree.ts');
    const isWhole = hasRepository(host) && existsSync(`${repository}/objects`);
    if (!hasRepository(host)) await writeConfig(host);
    requireMode(host);
    // libostree creates `objects` last: without it, a kill or a full disk has interrupted the creation.
    return isWhole ? openRepository(repository) : createRepository(repository, repositoryMode);
  });
}

/**
 * libostree does not sync the configuration, and a kill would leave its temporary file for ever; so this module writes
 * the file.
 */
async function writeConfig({ locations: { repository, repositoryMode } }: Host): Promise<void> {
  const path = makeWaitingPath(repository);
  try {
    writeFileSync(path, `[core]\nrepo_version=1\nmode=${repositoryMode}\n`, {
      flag: 'wx',
      mode: FileMode.public,
    });
    await syncFile(path);
    renameSync(path, formatConfigPath(repository));
  } catch (error) {
    unlinkIfThere(path);
    throw error;
  }
  await syncDirectory(repository);
}

/**
 * The mode decides the form of objects. Root needs `bare`, whose files have their real owner, for hard links. A repository
 * without a mode counts as `bare`, as in libostree.
 *
 * @throws AtomicError STORE_FAILED
 */
export function requireMode({ locations }: Host): void {
  const { repository, repositoryMode } = locations;
  const mode =
    /^\s*mode\s*=\s*(\S+)/m.exec(readFileSync(formatConfigPath(repository), 'utf8'))?.[1] ?? 'bare';
  if (mode === repositoryMode) return;
  throw new AtomicError(
    'STORE_FAILED',
    `opening the image store ${repository}: its mode is ${toPrintable(mode)}, not ${repositoryMode}`,
    { hint: 'Name another folder in ATOMIC_OSTREE_REPO or as ostree_repository in /etc/atomic.conf.' },
  );
}

function formatConfigPath(repository: string): string {
  return `${repository}/config`;
}
