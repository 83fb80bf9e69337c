/** Commits a layer that was imported into the open transaction (compatibility S-02). */
import type { BlobDescriptor } from '../../image/manifest.ts';
import { formatBlobRef } from '../../image/ref-name.ts';
import type { Transaction } from '../../ostree/transaction.ts';
import type { TextPieces } from '../../ostree/variant-writer.ts';
import { BlobKey, NO_WHITEOUTS } from '../image-commit.ts';
import type { ImportedLayer } from './import-layer.ts';

/** Commits the layer and points its ref at it; returns the checksum of the commit. */
export function commitLayer(
  transaction: Transaction,
  layer: BlobDescriptor,
  imported: ImportedLayer,
): string {
  const { uncompressedSize, uncompressedDigest, summary } = imported;
  const metadata = new Map<string, string | TextPieces>([
    [BlobKey.size, String(layer.size)],
    [BlobKey.uncompressedSize, String(uncompressedSize)],
    [BlobKey.uncompressedDigest, uncompressedDigest],
    [BlobKey.start, imported.blobStart],
  ]);
  if (imported.tarSplit !== undefined) metadata.set(BlobKey.tarSplit, imported.tarSplit);
  if (!summary.mayHaveWhiteouts) metadata.set(BlobKey.whiteouts, NO_WHITEOUTS);
  if (summary.impliedDirectories.length > 0) {
    metadata.set(BlobKey.impliedDirectories, JSON.stringify(summary.impliedDirectories));
  }
  const checksum = transaction.writeCommit({ ...imported.tree, metadata, timestamp: new Date() });
  transaction.setRef(formatBlobRef(layer.digest), checksum);
  return checksum;
}
