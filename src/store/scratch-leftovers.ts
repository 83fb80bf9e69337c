/**
 * What killed commands leave in `REPO/tmp`:
 *
 * ```
 * REPO/tmp/
 *   verified-*         an image that skopeo has copied under a trust policy
 *   atomic-scratch-*   scratch of a command, which holds a flock on the folder while it uses it, or the store's lock
 *                      exclusively
 *   atomic-layers      what interrupted pulls had stored of layers, for the next one
 *   staging-*         objects of a transaction of libostree that has not been committed, and its lock
 * ```
 */
import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { withFileErrors } from '../host/file-error.ts';
import type { Host } from '../host/host.ts';
import { removeTree } from '../host/remove-tree.ts';

const SCRATCH = /^(?:verified-|atomic-scratch-|atomic-layers$)/;
const STAGING = /^staging-/;

/**
 * Removes scratch that nobody uses. The caller holds the store and the lock of libostree exclusively, so that no pull
 * and no transaction is under way.
 *
 * @returns the paths that went
 */
export async function removeUnusedScratch(host: Host): Promise<readonly string[]> {
  const { repository } = host.locations;
  const isLocked = !/^\s*locking\s*=\s*false\s*$/m.test(readFileSync(`${repository}/config`, 'utf8'));
  const removed: string[] = [];
  for (const entry of readdirSync(`${repository}/tmp`, { withFileTypes: true })) {
    const path = `${repository}/tmp/${entry.name}`;
    const isOurs = SCRATCH.test(entry.name) && !(await isHeld(path));
    // A repository may say that libostree shall not lock it; then nobody knows whether a transaction is open.
    const isStaging = STAGING.test(entry.name) && isLocked;
    if (!isOurs && !isStaging) continue;
    if (entry.isDirectory()) await removeTree(path);
    else await withFileErrors(`remove ${path}`, () => rm(path, { force: true }));
    removed.push(path);
  }
  return removed.sort();
}

async function isHeld(path: string): Promise<boolean> {
  const { tryLock } = await import('../native/libc.ts');
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return !tryLock(fd, 'exclusive');
  } finally {
    closeSync(fd);
  }
}
