/**
 * Remembers layers that are complete before a ref may name them: a ref is set when its transaction is committed, which
 * costs a sync of the filesystem and so happens every 256 MB only.
 *
 * ```
 * REPO/tmp/
 *   atomic-layers/HEX         checksum of the layer's commit, which waits, see `waiting-files.ts`; HEX is the digest of the blob
 *   staging-BOOTID-XXXXXX/    libostree's: objects of an open transaction. What a dead process left there, the next
 *                             transaction of the same boot goes on with; those of earlier boots are removed
 * ```
 *
 * An entry is a hint, written without a sync: whoever follows it checks that every object is there. After a power cut
 * it may be empty or lead to nothing. Entries go when the ref is there, at the latest with the next prune; libostree
 * removes the folder when nothing was added to it for a day.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describeFailure, isErrno } from '../base/file-error.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import type { Host } from '../host/host.ts';
import { isChecksum } from '../image/digest.ts';
import { formatObjectPath } from '../ostree/object-files.ts';
import { forgetWaitingCommit } from '../ostree/waiting-files.ts';

/** @param digest `sha256:HEX` of the blob @param commit checksum of the layer's commit */
export function recordLayer(repository: string, digest: string, commit: string): void {
  mkdirSync(formatLedgerPath(repository), { recursive: true });
  writeFileSync(formatEntryPath(repository, digest), commit);
}

/** @returns checksum of the commit that a layer had, perhaps in a transaction that is gone */
export function findRecordedLayer(repository: string, digest: string): string | undefined {
  try {
    const text = readFileSync(formatEntryPath(repository, digest), 'latin1');
    return isChecksum(text) ? text : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Removes the entries of layers that have a ref now, and what waited of them. What cannot be removed hinders nothing. */
export function forgetLayers(host: Host, digests: Iterable<string>): void {
  const { repository } = host.locations;
  for (const digest of digests) {
    try {
      const commit = findRecordedLayer(repository, digest);
      // One that is not there yet may be that of another pull, which places it now.
      if (commit !== undefined && existsSync(formatObjectPath(repository, commit, 'commit'))) {
        forgetWaitingCommit(repository, commit);
      }
      unlinkIfThere(formatEntryPath(repository, digest));
    } catch (error) {
      const text = `forgetting that layer ${digest} was interrupted: ${describeFailure(error)}`;
      host.report({ kind: 'warning', text });
    }
  }
}

/**
 * Removes all entries. The caller holds the exclusive lock of the store: no pull relies on them.
 *
 * @returns the path of the ledger when it had any
 */
export function removeLayerLedger(repository: string): readonly string[] {
  const path = formatLedgerPath(repository);
  if (!existsSync(path)) return [];
  const hadEntries = readdirSync(path).length > 0;
  rmSync(path, { recursive: true });
  return hadEntries ? [path] : [];
}

function formatLedgerPath(repository: string): string {
  return `${repository}/tmp/atomic-layers`;
}

function formatEntryPath(repository: string, digest: string): string {
  return `${formatLedgerPath(repository)}/${digest.slice(digest.indexOf(':') + 1)}`;
}
