/** Removes the leftovers of killed operations in CHECKOUTS; `deployment.ts` shows their names. */

import { unlink } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { listFolder } from '../../host/files/find-file.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { isChecksum } from '../../image/checksum.ts';
import { findRef } from '../../ostree/object-files.ts';
import { withContainerLockIfFree } from '../container-lock.ts';
import { listJournals } from '../journal.ts';

const LEFTOVER = /^\.(?<name>.+)\.(?:[01]\.(?:new|previous|old)|link)$/;

/**
 * Removes incomplete deployments, except those whose operation still runs or has a journal for `recover`. Deployments
 * without a symlink also stay; `uninstall` removes them.
 *
 * @returns the removed paths; a path that cannot be removed is reported and stays
 */
export async function removeContainerLeftovers(host: Host): Promise<readonly string[]> {
  const { checkouts } = host.locations;
  const removed: string[] = [];
  for (const entry of await listFolder(checkouts)) {
    const name = LEFTOVER.exec(entry.name)?.groups?.name;
    if (name === undefined) continue;
    const path = `${checkouts}/${entry.name}`;
    await withContainerLockIfFree(host, name, 'prune', async () => {
      if ((await listJournals(host)).includes(name)) return;
      if (await tryToRemove(host, path, entry.isDirectory())) removed.push(path);
    });
  }
  return removed;
}

/** Removes layers that the original has unpacked and whose refs no longer exist (compatibility R-01). */
export async function removeUnpackedLayers(host: Host): Promise<readonly string[]> {
  const { checkouts, repository } = host.locations;
  const removed: string[] = [];
  for (const entry of await listFolder(`${checkouts}/.storage`)) {
    // The original unpacked single layers there, to mount them (compatibility O-07).
    if (!entry.isDirectory() || !isChecksum(entry.name)) continue;
    if (findRef(repository, `ociimage/${entry.name}`) !== undefined) continue;
    const path = `${checkouts}/.storage/${entry.name}`;
    if (await tryToRemove(host, path, true)) removed.push(path);
  }
  return removed;
}

/** A folder with a mount in it stays; the others are still removed. */
async function tryToRemove(host: Host, path: string, isFolder: boolean): Promise<boolean> {
  try {
    if (isFolder) await removeTree(path);
    else await withFileErrors(`remove ${path}`, () => unlink(path));
    return true;
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'DEPLOYMENT_IN_USE') throw error;
    host.report({ kind: 'warning', text: error.message });
    return false;
  }
}
