/** Writes the commits of the store inside the open transaction (compatibility S-01 to S-03). */

import type { StoredImage } from '../image/image.ts';
import type { BlobDescriptor } from '../image/manifest.ts';
import { formatBlobRef, formatImageRef } from '../image/ref-name.ts';
import { loadMetadata, writeFileObject, writeMetadata } from '../native/ostree.ts';
import type { TreeChecksums } from '../ostree/layer-tree.ts';
import { type Commit, formatDirTree } from '../ostree/ostree-objects.ts';
import { plainDirectory } from '../ostree/plain-directory.ts';
import type { Transaction } from '../ostree/transaction.ts';
import { BLOB_FILE } from './blob-file.ts';
import { BlobKey, describeImage, ImageKey } from './image-commit.ts';
import { formatSignatures } from './image-signatures.ts';
import { type LayerTree, mergeLayers } from './merge-layers.ts';

/**
 * Commits a layer again under another name: the same tree, the size of the other archive.
 *
 * @param content commit of a layer that inflates to the same archive
 */
export function writeAdoptedLayer(transaction: Transaction, layer: BlobDescriptor, content: Commit): void {
  const metadata = new Map([
    ...content.metadata,
    [BlobKey.size, String(layer.size)],
    [BlobKey.adopted, 'true'],
  ]);
  // Of another blob.
  metadata.delete(BlobKey.start);
  writeCommit(transaction, formatBlobRef(layer.digest), content, metadata);
}

/** Commits the configuration blob as a file and points its ref at it. */
export function writeConfigCommit(transaction: Transaction, config: BlobDescriptor, content: Buffer): void {
  const { repo } = transaction;
  const checksum = writeFileObject(repo, content);
  const dirtree = writeMetadata(
    repo,
    'dirtree',
    formatDirTree({ files: [{ name: BLOB_FILE, checksum }], directories: [] }),
  );
  const dirmeta = writeMetadata(repo, 'dirmeta', plainDirectory.data);
  writeCommit(
    transaction,
    formatBlobRef(config.digest),
    { dirtree, dirmeta },
    new Map([[BlobKey.size, String(config.size)]]),
  );
}

/** Merges the layers, commits the root filesystem and points the image's ref at it. */
export function writeImageCommit(
  transaction: Transaction,
  reference: string,
  manifest: {
    readonly digest: string;
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
  metadata: ReadonlyMap<string, string>,
): { checksum: string; timestamp: Date } {
  const timestamp = new Date(Math.floor(Date.now() / 1000) * 1000);
  const { dirtree, dirmeta } = root;
  const checksum = transaction.writeCommit({ dirtree, dirmeta, metadata, timestamp });
  transaction.setRef(ref, checksum);
  return { checksum, timestamp };
}
