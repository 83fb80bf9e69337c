/**
 * Records layers that are complete but have no ref yet. A ref is set when its transaction is committed; that costs a sync of
 * the filesystem, so it happens only every 256 MB.
 *
 * ```
 * REPO/tmp/
 *   atomic-layers/HEX         checksum of the layer's waiting commit, see `waiting-files.ts`; HEX is the digest of the blob
 *   staging-BOOTID-XXXXXX/    libostree's: objects of an open transaction. After a crash the next transaction of the same
 *                             boot takes over the folder; libostree removes those of earlier boots
 * ```
 *
 * An entry is a hint, written without a sync: its reader checks that every object exists. After a power cut an entry may be
 * empty or name a missing commit. Entries are removed when the ref exists, at the latest by the next prune; libostree removes
 * the folder when nothing was added to it for a day.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describeFailure, tolerateMissing } from '../base/file-error.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import type { Host } from '../host/host.ts';
import { type Checksum, isChecksum } from '../image/checksum.ts';
import type { Digest } from '../image/digest.ts';
import { formatObjectPath } from '../ostree/object-files.ts';
import { forgetWaitingCommit } from '../ostree/waiting-files.ts';

/**
 * @param digest digest of the blob, `sha256:HEX`
 * @param commit checksum of the layer's commit
 */
export function recordLayer(repository: string, digest: Digest, commit: Checksum): void {
  mkdirSync(formatLedgerPath(repository), { recursive: true });
  writeFileSync(formatEntryPath(repository, digest), commit);
}

/** @returns checksum of the layer's commit, which may be missing: its transaction may be lost */
export function findRecordedLayer(repository: string, digest: Digest): Checksum | undefined {
  const text = tolerateMissing(() => readFileSync(formatEntryPath(repository, digest), 'latin1'));
  return text !== undefined && isChecksum(text) ? text : undefined;
}

/** Removes the entries of layers that have a ref now, and their waiting commits. A failure does no harm, so it is a warning. */
export function forgetLayers(host: Host, digests: Iterable<Digest>): void {
  const { repository } = host.locations;
  for (const digest of digests) {
    try {
      const commit = findRecordedLayer(repository, digest);
      // A missing commit may belong to another pull, which is moving it into the repository now.
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
 * Removes all entries. The caller holds the store exclusively, so no pull needs them.
 *
 * @returns the path of the ledger when it had entries
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

function formatEntryPath(repository: string, digest: Digest): string {
  return `${formatLedgerPath(repository)}/${digest.slice(digest.indexOf(':') + 1)}`;
}
