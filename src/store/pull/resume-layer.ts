/** Reuses a layer that an interrupted pull has completed without setting its ref. */

import type { Checksum } from '../../image/checksum.ts';
import type { BlobDescriptor } from '../../image/manifest.ts';
import { formatBlobRef } from '../../image/ref-name.ts';
import type { Pointer } from '../../native/glib.ts';
import { loadMetadata } from '../../native/ostree.ts';
import { hasObject } from '../../native/ostree-inventory.ts';
import { VariantMalformed } from '../../ostree/gvariant.ts';
import { type Commit, parseCommit, parseDirTree } from '../../ostree/ostree-objects.ts';
import type { Transaction } from '../../ostree/transaction.ts';
import { discardCommits, takeWaitingCommit } from '../../ostree/waiting-files.ts';
import { findRecordedLayer } from '../layer-ledger.ts';
import { describeLayer, type StoredLayer } from '../stored-layer.ts';

/**
 * Points the layer's ref at the commit in the ledger, when every object below it is in the repository or in the stage that the
 * open transaction took over from a dead process. Objects in the stage are complete, but may not be on the disk yet; the
 * transaction syncs before it sets the ref.
 *
 * @returns `undefined` when there is no such layer or an object of it is missing, so that it must be fetched
 */
export function resumeLayer(
  repository: string,
  transaction: Transaction,
  layer: BlobDescriptor,
): StoredLayer | undefined {
  const checksum = findRecordedLayer(repository, layer.digest);
  if (checksum === undefined) return undefined;
  const { repo } = transaction;
  const ref = formatBlobRef(layer.digest);
  try {
    if (hasObject(repo, 'commit', checksum)) {
      const stored = readWholeLayer(
        repository,
        repo,
        parseCommit(loadMetadata(repo, 'commit', checksum)),
        layer,
      );
      if (stored !== undefined) transaction.setRef(ref, checksum);
      return stored;
    }
    const waiting = takeWaitingCommit(repository, checksum);
    if (waiting === undefined) return undefined;
    const stored = readWholeLayer(repository, repo, parseCommit(waiting.data), layer);
    if (stored === undefined) {
      discardCommits([waiting]);
      return undefined;
    }
    transaction.addCommit(waiting);
    transaction.setRef(ref, checksum);
    return stored;
  } catch (error) {
    // The commit or a directory is damaged. Fetching the layer replaces it.
    if (error instanceof VariantMalformed) return undefined;
    throw error;
  }
}

function readWholeLayer(
  repository: string,
  repo: Pointer,
  commit: Commit,
  layer: BlobDescriptor,
): StoredLayer | undefined {
  if (!hasObject(repo, 'dirmeta', commit.dirmeta) || !hasWholeTree(repo, commit.dirtree)) return undefined;
  return describeLayer(repository, commit, layer);
}

function hasWholeTree(repo: Pointer, root: Checksum): boolean {
  const seen = new Set([root]);
  // The iteration also visits elements that are added during it.
  for (const checksum of seen) {
    if (!hasObject(repo, 'dirtree', checksum)) return false;
    const { files, directories } = parseDirTree(loadMetadata(repo, 'dirtree', checksum));
    if (!files.every((file) => hasObject(repo, 'file', file.checksum))) return false;
    for (const { dirtree, dirmeta } of directories) {
      if (!hasObject(repo, 'dirmeta', dirmeta)) return false;
      seen.add(dirtree);
    }
  }
  return true;
}
