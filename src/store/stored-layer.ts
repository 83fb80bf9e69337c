/** Layers that are in the repository already. */
import type { BlobDescriptor } from '../core/manifest.ts';
import type { LayerTree } from '../core/merge-layers.ts';
import type { Commit } from '../core/ostree-objects.ts';
import { formatBlobRef } from '../core/ref-name.ts';
import { BlobKey, NO_WHITEOUTS } from './image-commit.ts';
import { findRef, readCommit } from './object-files.ts';

export interface StoredLayer {
  readonly tree: LayerTree;
  /** `sha256:...` of the inflated archive. */
  readonly uncompressedDigest: string;
}

/**
 * Finds a complete layer (compatibility S-07).
 *
 * @param diffId what the image says that the layer inflates to. A layer that was adopted on the word of another image,
 * see `adopt-layers.ts`, does not count for an image that says otherwise
 * @throws AtomicError STORE_CORRUPT
 */
export function findStoredLayer(
  repository: string,
  layer: BlobDescriptor,
  diffId?: string,
): StoredLayer | undefined {
  const checksum = findRef(repository, formatBlobRef(layer.digest));
  return checksum === undefined ? undefined : describeLayer(readCommit(repository, checksum), layer, diffId);
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

/** @returns `undefined` when the commit is not that of this layer, or not one of ours */
export function describeLayer(
  commit: Commit,
  layer: BlobDescriptor,
  diffId?: string,
): StoredLayer | undefined {
  const { metadata } = commit;
  const digest = metadata.get(BlobKey.uncompressedDigest);
  if (digest === undefined || metadata.get(BlobKey.size) !== String(layer.size)) return undefined;
  if (metadata.has(BlobKey.adopted) && diffId !== undefined && diffId !== digest) return undefined;
  return readStoredLayer(commit, digest);
}

/** @param uncompressedDigest `sha256:...` of the inflated archive */
export function readStoredLayer(commit: Commit, uncompressedDigest: string): StoredLayer {
  const { dirtree, dirmeta, metadata } = commit;
  return {
    tree: {
      dirtree,
      dirmeta,
      impliedDirectories: parseImplied(metadata.get(BlobKey.impliedDirectories)),
      mayHaveWhiteouts: metadata.get(BlobKey.whiteouts) !== NO_WHITEOUTS,
    },
    uncompressedDigest,
  };
}

function parseImplied(text: string | undefined): ReadonlySet<string> {
  const paths: unknown = text === undefined ? [] : JSON.parse(text);
  return new Set(Array.isArray(paths) ? paths.map(String) : []);
}
