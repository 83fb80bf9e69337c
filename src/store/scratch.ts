/**
 * Folders for what is needed for a while only, on the filesystem of the store:
 *
 * ```
 * REPO/tmp/atomic-scratch-XXXXXX/   as long as its maker lives, it holds a flock on the folder
 * ```
 *
 * A kill leaves the folder, unlocked; prune removes such folders.
 */
import { mkdtempSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { withFileErrors } from '../host/file-error.ts';
import type { Host } from '../host/host.ts';
import { removeTree } from '../host/remove-tree.ts';

export const SCRATCH_PREFIX = 'atomic-scratch-';

/**
 * Runs an action with an empty folder, which is removed afterwards also when it fails or is interrupted. The caller
 * holds the store's lock, shared, so that prune cannot come between making the folder and locking it.
 *
 * @throws READ_ONLY, NO_SPACE, STORE_FAILED
 */
export async function withScratch<T>(host: Host, action: (folder: string) => Promise<T>): Promise<T> {
  const { folder, lock } = await makeScratch(`${host.locations.repository}/tmp`);
  try {
    return await action(folder);
  } finally {
    try {
      await removeTree(folder);
    } finally {
      await lock.close();
    }
  }
}

async function makeScratch(parent: string): Promise<{ folder: string; lock: FileHandle }> {
  const { tryLock } = await import('../native/libc.ts');
  return withFileErrors(`create a folder in ${parent}`, async () => {
    await mkdir(parent, { recursive: true });
    const folder = mkdtempSync(`${parent}/${SCRATCH_PREFIX}`);
    const lock = await open(folder, 'r');
    if (!tryLock(lock.fd, 'exclusive')) throw new Error(`${folder} is new and locked`);
    return { folder, lock };
  });
}
