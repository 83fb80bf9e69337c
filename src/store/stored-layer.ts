/** Finds layers in the repository. */

import { AtomicError } from '../base/errors.ts';
import { algorithmOf, type Digest } from '../image/digest.ts';
import type { BlobDescriptor } from '../image/manifest.ts';
import { formatBlobRef } from '../image/ref-name.ts';
import { findRef, readCommit } from '../ostree/object-files.ts';
import type { Commit } from '../ostree/ostree-objects.ts';
import { BlobKey, type NamedLayer, NO_WHITEOUTS, readRecordedDigest } from './image-commit.ts';
import { readImpliedDirectories } from './implied-directories.ts';
import type { LayerTree } from './merge-layers.ts';

export interface StoredLayer {
  readonly tree: LayerTree;
  /** Digest of the inflated archive, `sha256:...`. */
  readonly uncompressedDigest: Digest;
}

/**
 * Finds a complete layer (compatibility S-07).
 *
 * @param diffId digest of the inflated archive, by the image's configuration. A layer that was adopted for another
 *   image, see `writeAdoptedLayers`, does not count for an image whose configuration contradicts it
 * @throws AtomicError STORE_CORRUPT
 */
export function findStoredLayer(
  repository: string,
  layer: BlobDescriptor,
  diffId?: Digest,
): StoredLayer | undefined {
  const checksum = findRef(repository, formatBlobRef(layer.digest));
  return checksum === undefined
    ? undefined
    : describeLayer(repository, readCommit(repository, checksum), layer, diffId);
}

/**
 * Finds the stored layers of an image, by digest. Reads each commit once, because it may be large.
 *
 * @param diffIds digests of the inflated layers, in their order, if they are known; see `findStoredLayer`
 * @throws AtomicError STORE_CORRUPT
 */
export function findStoredLayers(
  repository: string,
  layers: readonly BlobDescriptor[],
  diffIds: readonly Digest[] = [],
): Map<string, StoredLayer> {
  const found = new Map<string, StoredLayer>();
  for (const [index, layer] of layers.entries()) {
    const stored = found.has(layer.digest) ? undefined : findStoredLayer(repository, layer, diffIds[index]);
    if (stored !== undefined) found.set(layer.digest, stored);
  }
  return found;
}

/**
 * Reads the trees of all layers of an image, for the merge. Also accepts layers of old versions of the original tool, whose
 * commits do not have the digest of the inflated archive.
 *
 * @returns base first
 * @throws AtomicError STORE_CORRUPT when a layer is missing
 */
export function readLayerTrees(repository: string, layers: readonly NamedLayer[]): LayerTree[] {
  return layers.map((layer) => {
    const checksum = findRef(repository, formatBlobRef(layer.digest));
    const commit = checksum === undefined ? undefined : readCommit(repository, checksum);
    const size = Number(commit?.metadata.get(BlobKey.size) ?? layer.size);
    const isIt = layer.size === undefined || layer.size === size;
    if (commit !== undefined && isIt) return readTree(repository, commit);
    const hex = layer.digest.slice(layer.digest.indexOf(':') + 1);
    throw new AtomicError('STORE_CORRUPT', `Layer not found: ${hex}.  Please pull the image again`, {
      hint: 'Fetch what is missing: atomic pull IMAGE',
      details: { layer: layer.digest },
    });
  });
}

/** @returns `undefined` when the commit does not belong to this layer, or has no digest of an inflated archive */
export function describeLayer(
  repository: string,
  commit: Commit,
  layer: BlobDescriptor,
  diffId?: Digest,
): StoredLayer | undefined {
  const { metadata } = commit;
  const digest = readRecordedDigest(commit, BlobKey.uncompressedDigest);
  if (digest === undefined || metadata.get(BlobKey.size) !== String(layer.size)) return undefined;
  // Digests of two algorithms cannot be compared.
  if (diffId !== undefined && algorithmOf(diffId) !== algorithmOf(digest)) return undefined;
  if (metadata.has(BlobKey.adopted) && diffId !== undefined && diffId !== digest) return undefined;
  return readStoredLayer(repository, commit, digest);
}

/** @param uncompressedDigest digest of the inflated archive, `sha256:...` */
export function readStoredLayer(repository: string, commit: Commit, uncompressedDigest: Digest): StoredLayer {
  return { tree: readTree(repository, commit), uncompressedDigest };
}

function readTree(repository: string, commit: Commit): LayerTree {
  const { dirtree, dirmeta, metadata } = commit;
  return {
    dirtree,
    dirmeta,
    impliedDirectories: readImpliedDirectories(repository, commit),
    mayHaveWhiteouts: metadata.get(BlobKey.whiteouts) !== NO_WHITEOUTS,
  };
}
