/** Layers that are in the repository already. */

import { AtomicError } from '../base/errors.ts';
import { algorithmOf } from '../image/digest.ts';
import type { BlobDescriptor } from '../image/manifest.ts';
import { formatBlobRef } from '../image/ref-name.ts';
import { findRef, readCommit } from '../ostree/object-files.ts';
import type { Commit } from '../ostree/ostree-objects.ts';
import { BlobKey, type NamedLayer, NO_WHITEOUTS } from './image-commit.ts';
import { readImpliedDirectories } from './implied-directories.ts';
import type { LayerTree } from './merge-layers.ts';

export interface StoredLayer {
  readonly tree: LayerTree;
  /** `sha256:...` of the inflated archive. */
  readonly uncompressedDigest: string;
}

/**
 * Finds a complete layer (compatibility S-07).
 *
 * @param diffId what the image says that the layer inflates to. A layer that was adopted on the word of another image,
 * see `writeAdoptedLayers`, does not count for an image that says otherwise
 * @throws AtomicError STORE_CORRUPT
 */
export function findStoredLayer(
  repository: string,
  layer: BlobDescriptor,
  diffId?: string,
): StoredLayer | undefined {
  const checksum = findRef(repository, formatBlobRef(layer.digest));
  return checksum === undefined
    ? undefined
    : describeLayer(repository, readCommit(repository, checksum), layer, diffId);
}

/**
 * Finds the layers of an image that are there, by digest: each is read once, for its commit may be large.
 *
 * @param diffIds of the layers, in their order, where the image has told them; see `findStoredLayer`
 * @throws AtomicError STORE_CORRUPT
 */
export function findStoredLayers(
  repository: string,
  layers: readonly BlobDescriptor[],
  diffIds: readonly string[] = [],
): Map<string, StoredLayer> {
  const found = new Map<string, StoredLayer>();
  for (const [index, layer] of layers.entries()) {
    const stored = found.has(layer.digest) ? undefined : findStoredLayer(repository, layer, diffIds[index]);
    if (stored !== undefined) found.set(layer.digest, stored);
  }
  return found;
}

/**
 * Reads the trees of all layers of an image, for the merge. A layer that an old version of the original tool stored counts,
 * too: its commit does not say what the archive inflates to.
 *
 * @returns base first
 * @throws AtomicError STORE_CORRUPT when one is missing
 */
export function readLayerTrees(repository: string, layers: readonly NamedLayer[]): LayerTree[] {
  return layers.map((layer) => {
    const checksum = findRef(repository, formatBlobRef(layer.digest));
    const commit = checksum === undefined ? undefined : readCommit(repository, checksum);
    const size = Number(commit?.metadata.get(BlobKey.size) ?? layer.size);
    const isIt = layer.size === undefined || layer.size === size;
    if (commit !== undefined && isIt) return readStoredLayer(repository, commit, '').tree;
    const hex = layer.digest.slice(layer.digest.indexOf(':') + 1);
    throw new AtomicError('STORE_CORRUPT', `Layer not found: ${hex}.  Please pull the image again`, {
      hint: 'Fetch what is missing: atomic pull IMAGE',
      details: { layer: layer.digest },
    });
  });
}

/** @returns `undefined` when the commit is not that of this layer, or not one of ours */
export function describeLayer(
  repository: string,
  commit: Commit,
  layer: BlobDescriptor,
  diffId?: string,
): StoredLayer | undefined {
  const { metadata } = commit;
  const digest = metadata.get(BlobKey.uncompressedDigest);
  if (digest === undefined || metadata.get(BlobKey.size) !== String(layer.size)) return undefined;
  // Of digests of two algorithms nothing says whether they are of the same archive.
  if (diffId !== undefined && algorithmOf(diffId) !== algorithmOf(digest)) return undefined;
  if (metadata.has(BlobKey.adopted) && diffId !== undefined && diffId !== digest) return undefined;
  return readStoredLayer(repository, commit, digest);
}

/** @param uncompressedDigest `sha256:...` of the inflated archive */
export function readStoredLayer(repository: string, commit: Commit, uncompressedDigest: string): StoredLayer {
  const { dirtree, dirmeta, metadata } = commit;
  return {
    tree: {
      dirtree,
      dirmeta,
      impliedDirectories: readImpliedDirectories(repository, commit),
      mayHaveWhiteouts: metadata.get(BlobKey.whiteouts) !== NO_WHITEOUTS,
    },
    uncompressedDigest,
  };
}
