/** Writes every commit of the store inside the open transaction, and points its ref at it (compatibility S-01 to S-03). */

import { type Checksum, toChecksum } from '../image/checksum.ts';
import type { Digest } from '../image/digest.ts';
import type { StoredImage } from '../image/image.ts';
import type { BlobDescriptor } from '../image/manifest.ts';
import { formatBlobRef, formatImageRef } from '../image/ref-name.ts';
import { loadMetadata, writeFileObject, writeMetadata } from '../native/ostree.ts';
import type { TreeChecksums } from '../ostree/layer-tree.ts';
import { type Commit, formatDirTree, plainDirectory } from '../ostree/ostree-objects.ts';
import type { Transaction } from '../ostree/transaction.ts';
import type { TextPieces } from '../ostree/variant-writer.ts';
import { BLOB_FILE, BlobKey, describeImage, ImageKey, NO_WHITEOUTS } from './image-commit.ts';
import { formatSignatures } from './image-signatures.ts';
import { type LayerTree, mergeLayers } from './merge-layers.ts';
import { readStoredLayer, type StoredLayer } from './stored-layer.ts';

/** What the commit of a layer records of the layer's archive; see `ImportedLayer`. */
interface LayerContent {
  readonly tree: TreeChecksums;
  readonly uncompressedSize: number;
  readonly uncompressedDigest: Digest;
  readonly summary: { readonly mayHaveWhiteouts: boolean; readonly impliedDirectories: readonly string[] };
  readonly tarSplit: TextPieces | undefined;
  readonly blobStart: string;
}

/**
 * Commits a layer that was imported into the open transaction.
 *
 * @returns checksum of the commit
 */
export function writeLayerCommit(
  transaction: Transaction,
  layer: BlobDescriptor,
  { tree, uncompressedSize, uncompressedDigest, summary, tarSplit, blobStart }: LayerContent,
): Checksum {
  const metadata = new Map<string, string | TextPieces>([
    [BlobKey.size, String(layer.size)],
    [BlobKey.uncompressedSize, String(uncompressedSize)],
    [BlobKey.uncompressedDigest, uncompressedDigest],
    [BlobKey.start, blobStart],
  ]);
  if (tarSplit !== undefined) metadata.set(BlobKey.tarSplit, tarSplit);
  if (!summary.mayHaveWhiteouts) metadata.set(BlobKey.whiteouts, NO_WHITEOUTS);
  if (summary.impliedDirectories.length > 0) {
    metadata.set(BlobKey.impliedDirectories, JSON.stringify(summary.impliedDirectories));
  }
  return writeCommit(transaction, formatBlobRef(layer.digest), tree, metadata).checksum;
}

/** A layer that is missing, and the commit of another layer that inflates to the same archive. */
export interface AdoptableLayer {
  readonly layer: BlobDescriptor;
  /** Digest of the inflated archive. */
  readonly diffId: Digest;
  readonly content: Commit;
}

/**
 * Writes a commit for each layer whose content the store has under another digest: the same tree, the size of this blob.
 *
 * The only evidence for the content is the configuration of the image; the blob itself was not checked. So the commit
 * is marked: an image whose configuration contradicts it fetches the layer.
 *
 * @returns the adopted layers by digest
 */
export function writeAdoptedLayers(
  repository: string,
  transaction: Transaction,
  adoptable: readonly AdoptableLayer[],
): Map<string, StoredLayer> {
  return new Map(
    adoptable.map(({ layer, diffId, content }) => {
      const metadata = new Map([
        ...content.metadata,
        [BlobKey.size, String(layer.size)],
        [BlobKey.adopted, 'true'],
      ]);
      // The start of the other blob.
      metadata.delete(BlobKey.start);
      writeCommit(transaction, formatBlobRef(layer.digest), content, metadata);
      return [layer.digest, readStoredLayer(repository, content, diffId)];
    }),
  );
}

/** Commits the blob of a configuration as a file. */
export function writeConfigCommit(transaction: Transaction, config: BlobDescriptor, content: Buffer): void {
  const { repo } = transaction;
  const checksum = toChecksum(writeFileObject(repo, content));
  const tree = formatDirTree({ files: [{ name: BLOB_FILE, checksum }], directories: [] });
  const dirtree = toChecksum(writeMetadata(repo, 'dirtree', tree));
  const dirmeta = toChecksum(writeMetadata(repo, 'dirmeta', plainDirectory.data));
  writeCommit(
    transaction,
    formatBlobRef(config.digest),
    { dirtree, dirmeta },
    new Map([[BlobKey.size, String(config.size)]]),
  );
}

/**
 * Merges the layers and commits the root filesystem.
 *
 * @param layers base first
 */
export function writeImageCommit(
  transaction: Transaction,
  reference: string,
  manifest: {
    readonly digest: Digest;
    readonly text: string;
    readonly source: string;
    readonly signatures: readonly Buffer[];
  },
  layers: readonly LayerTree[],
): StoredImage {
  const { repo } = transaction;
  const root = mergeLayers(layers, (checksum) => loadMetadata(repo, 'dirtree', checksum));
  writeMetadata(repo, 'dirmeta', plainDirectory.data);
  for (const data of root.created.values()) writeMetadata(repo, 'dirtree', data);
  const metadata = new Map([
    [ImageKey.manifest, manifest.text],
    [ImageKey.digest, manifest.digest],
    ...formatSignatures(manifest.signatures),
    [ImageKey.source, manifest.source],
  ]);
  const { checksum, timestamp } = writeCommit(transaction, formatImageRef(reference), root, metadata);
  return describeImage(reference, checksum, { ...root, metadata, timestamp });
}

function writeCommit(
  transaction: Transaction,
  ref: string,
  root: TreeChecksums,
  metadata: ReadonlyMap<string, string | TextPieces>,
): { checksum: Checksum; timestamp: Date } {
  const timestamp = new Date(Math.floor(Date.now() / 1000) * 1000);
  const { dirtree, dirmeta } = root;
  const checksum = transaction.writeCommit({ dirtree, dirmeta, metadata, timestamp });
  transaction.setRef(ref, checksum);
  return { checksum, timestamp };
}
