/**
 * Scratch folders: `REPO/tmp/atomic-scratch-XXXXXX/`, one for each pull or export that needs temporary files. They are on the
 * filesystem of the store. A folder is locked (`flock`) as long as it is used. A folder without a lock was left by a crash;
 * the next command that creates a scratch folder removes it.
 *
 * ```
 * REPO/tmp/atomic-scratch-XXXXXX/
 *   image/           copy of an image that skopeo has made under the trust policy, or the image to export
 *   expanded.tar     an archive without its compression, or with only one of its images
 *   source           symlink to a path with a colon, which skopeo cannot read
 *   ...              temporary files of skopeo
 * ```
 */
import { constants, type FileHandle, mkdtemp, open, readdir, stat } from 'node:fs/promises';
import { AtomicError } from '../base/errors.ts';
import { tolerateMissingAsync, withFileErrors } from '../base/file-error.ts';
import { ensureDirectory } from '../host/files/durable-files.ts';
import { removeTree } from '../host/files/remove-tree.ts';
import type { Host } from '../host/host.ts';
import { parseManifest } from '../image/manifest.ts';
import { withRepository } from '../ostree/repository.ts';
import type { Scratch } from '../source/image-source.ts';
import { checkRoomForLayers, listMissingLayers } from './preflight.ts';
import { findStoredLayers } from './stored-layer.ts';

const PREFIX = 'atomic-scratch-';

interface LockedFolder {
  readonly path: string;
  readonly lock: FileHandle;
}

/**
 * Runs an action with a scratch folder. The folder is created when the action opens it, and removed afterwards.
 *
 * @throws NO_SPACE, READ_ONLY, STORE_FAILED
 */
export async function withScratch<T>(host: Host, action: (scratch: Scratch) => Promise<T>): Promise<T> {
  let made: Promise<LockedFolder> | undefined;
  const scratch: Scratch = {
    async open() {
      made ??= makeFolder(host);
      return (await made).path;
    },
    requireRoom: (manifest) => requireRoomForCopy(host, manifest),
  };
  try {
    return await action(scratch);
  } finally {
    const folder = await made?.catch(() => undefined);
    if (folder !== undefined) await tryToRemove(host, folder);
  }
}

/** A failure is only a warning, because the action has succeeded. */
async function tryToRemove(host: Host, folder: LockedFolder): Promise<void> {
  try {
    await removeFolder(folder);
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    host.report({ kind: 'warning', text: `${error.message}; the next command removes it` });
  }
}

/**
 * Removes the scratch folders that crashed commands have left. Folders in use stay.
 *
 * @returns paths of the removed folders
 */
export async function removeAbandonedScratch(host: Host): Promise<readonly string[]> {
  const temporary = formatTemporary(host);
  const removed: string[] = [];
  for (const name of await listNames(temporary)) {
    const folder = await lockFolder(`${temporary}/${name}`);
    if (folder === undefined) continue;
    await removeFolder(folder);
    removed.push(folder.path);
  }
  return removed;
}

async function requireRoomForCopy(host: Host, manifest: Buffer): Promise<void> {
  const image = parseManifest(manifest.toString('utf8'));
  const stored = findStoredLayers(host.locations.repository, image.layers);
  await withRepository(host, (repo) =>
    checkRoomForLayers(host, repo, listMissingLayers(host, image.layers, stored), image.layers),
  );
}

async function makeFolder(host: Host): Promise<LockedFolder> {
  await removeAbandonedScratch(host);
  const temporary = formatTemporary(host);
  await ensureDirectory(temporary);
  for (;;) {
    const path = await withFileErrors(`create folder in ${temporary}`, () =>
      mkdtemp(`${temporary}/${PREFIX}`),
    );
    const folder = await lockFolder(path);
    // Another process may have removed the folder as abandoned before it was locked.
    if (folder !== undefined) return folder;
  }
}

async function removeFolder({ path, lock }: LockedFolder): Promise<void> {
  try {
    await removeTree(path);
  } finally {
    await lock.close();
  }
}

/** @returns `undefined` when another process uses the folder, or it is missing */
async function lockFolder(path: string): Promise<LockedFolder | undefined> {
  const { tryLock } = await import('../native/libc.ts');
  const lock = await openFolder(path);
  if (lock === undefined) return undefined;
  if (tryLock(lock.fd, 'exclusive') && (await isStillThere(path, lock))) return { path, lock };
  await lock.close();
  return undefined;
}

async function openFolder(path: string): Promise<FileHandle | undefined> {
  return tolerateMissingAsync(() =>
    open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW),
  );
}

async function isStillThere(path: string, folder: FileHandle): Promise<boolean> {
  return (
    (await tolerateMissingAsync(async () => (await stat(path)).ino === (await folder.stat()).ino)) ?? false
  );
}

async function listNames(temporary: string): Promise<readonly string[]> {
  return (
    (await tolerateMissingAsync(async () =>
      (await readdir(temporary)).filter((name) => name.startsWith(PREFIX)),
    )) ?? []
  );
}

function formatTemporary(host: Host): string {
  return `${host.locations.repository}/tmp`;
}
