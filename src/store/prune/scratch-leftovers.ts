/**
 * Files that killed commands leave in `REPO/tmp`:
 *
 * ```
 * REPO/tmp/
 *   atomic-scratch-*   see scratch.ts
 *   atomic-layers/     see layer-ledger.ts
 *   atomic-waiting/    see waiting-files.ts
 *   staging-*          objects of an uncommitted transaction of libostree, and its lock
 * ```
 */
import { readdirSync, readFileSync } from 'node:fs';

import { withFileErrors } from '../../base/file-error.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import { unlinkIfThere } from '../../host/files/unlink-file.ts';
import type { Host } from '../../host/host.ts';
import { removeWaitingFiles } from '../../ostree/waiting-files.ts';
import { removeLayerLedger } from '../layer-ledger.ts';
import { removeAbandonedScratch } from '../scratch.ts';

const STAGING = /^staging-/;

/**
 * Removes unused scratch files. The caller holds the store and the lock of libostree exclusively, so there is no pull and no
 * transaction.
 *
 * @returns the removed paths
 */
export async function removeUnusedScratch(host: Host): Promise<readonly string[]> {
  const { repository } = host.locations;
  const scratch = await removeAbandonedScratch(host);
  const ledger = removeLayerLedger(repository);
  const waiting = removeWaitingFiles(repository);
  const staging = isLocked(repository) ? await removeStaging(repository) : [];
  return [...scratch, ...ledger, ...waiting, ...staging].sort();
}

/** A repository may disable libostree's lock. Then a transaction may be open without a lock. */
function isLocked(repository: string): boolean {
  return !/^\s*locking\s*=\s*false\s*$/m.test(readFileSync(`${repository}/config`, 'utf8'));
}

async function removeStaging(repository: string): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const entry of readdirSync(`${repository}/tmp`, { withFileTypes: true })) {
    if (!STAGING.test(entry.name)) continue;
    const path = `${repository}/tmp/${entry.name}`;
    if (entry.isDirectory()) await removeTree(path);
    else await withFileErrors(`remove ${path}`, async () => unlinkIfThere(path));
    removed.push(path);
  }
  return removed;
}
