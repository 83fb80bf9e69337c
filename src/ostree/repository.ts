/** Opens the repository for writing, and creates it on the first use. Its layout is drawn in `object-files.ts`. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
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

/** Whether there is a repository yet, perhaps half made. A power cut may have left its configuration empty. */
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
    // libostree makes `objects` last: without it the repository is what a kill or a full disk has left of making it.
    return isWhole ? openRepository(repository) : createRepository(repository, repositoryMode);
  });
}

/** Written here, because libostree does not sync it, and a kill would leave a temporary file of it for ever. */
async function writeConfig({ locations: { repository, repositoryMode } }: Host): Promise<void> {
  const path = makeWaitingPath(repository);
  try {
    writeFileSync(path, `[core]\nrepo_version=1\nmode=${repositoryMode}\n`, { flag: 'wx', mode: 0o644 });
    await syncFile(path);
    renameSync(path, formatConfigPath(repository));
  } catch (error) {
    unlinkIfThere(path);
    throw error;
  }
  await syncDirectory(repository);
}

/**
 * Objects are written here in the form of one mode, and only `bare` has files with their owner, as root needs them for
 * hard links. Like libostree we take a repository that does not say its mode for a bare one.
 */
function requireMode({ locations }: Host): void {
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
