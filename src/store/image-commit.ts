/** What the metadata of commits says about images and blobs (compatibility S-01 to S-03). */
import type { StoredBlob, StoredImage } from '../core/image.ts';
import { type ImageManifest, parseManifest } from '../core/manifest.ts';
import type { Commit } from '../core/ostree-objects.ts';

export const ImageKey = {
  manifest: 'docker.manifest',
  digest: 'docker.digest',
  signatures: 'signatures',
  /**
   * Ours: where the image came from, as skopeo writes it, such as `docker://registry/name:tag`; empty when that is not
   * known. Only commits of ours have it, see `image-root.ts`.
   */
  source: 'atomic.source',
} as const;

export const BlobKey = {
  size: 'docker.size',
  uncompressedSize: 'docker.uncompressed_size',
  uncompressedDigest: 'docker.uncompressed_digest',
  /** What rebuilds the archive byte for byte; see `tar-split-recorder.ts`. */
  tarSplit: 'tarsplit.output',
  /** Ours: base64 of the first bytes of the blob; see `blob-start.ts`. */
  start: 'atomic.blob_start',
  /** Ours: JSON list of the directories that the archive implies, for the merge; absent when there are none. */
  impliedDirectories: 'atomic.implied_directories',
  /** Ours: `NO_WHITEOUTS` when no name of the layer begins like a whiteout; absent otherwise. */
  whiteouts: 'atomic.whiteouts',
  /** Ours: set when the content is that of another layer and this one was never fetched. */
  adopted: 'atomic.adopted',
} as const;

export const NO_WHITEOUTS = 'none';

/**
 * @param reference the name that the ref decodes to
 * @param checksum of the commit
 * @throws AtomicError MANIFEST_INVALID when the recorded manifest cannot be read
 */
export function describeImage(reference: string, checksum: string, commit: Commit): StoredImage {
  const manifest = readManifest(commit);
  const digest = commit.metadata.get(ImageKey.digest) ?? manifest?.config.digest ?? checksum;
  return nameImage(reference, {
    id: digest.slice(digest.indexOf(':') + 1),
    commit: checksum,
    created: commit.timestamp,
    virtualSize: manifest?.layers.reduce((sum, layer) => sum + layer.size, 0),
    configDigest: manifest?.config.digest,
    layerDigests: manifest?.layers.map((layer) => layer.digest) ?? [],
    source: commit.metadata.get(ImageKey.source) || undefined,
  });
}

/** Adds the names to what is known of an image. @param reference the name that its ref decodes to */
export function nameImage<Facts>(
  reference: string,
  facts: Facts,
): Facts & Pick<StoredImage, 'reference' | 'repository' | 'tag'> {
  return { reference, ...splitReference(reference), ...facts };
}

/** @param digest `sha256:...` of the blob */
export function describeBlob(digest: string, commit: Commit): StoredBlob {
  const size = commit.metadata.get(BlobKey.size);
  return {
    id: digest.slice(digest.indexOf(':') + 1),
    created: commit.timestamp,
    size: size === undefined ? undefined : Number(size),
  };
}

function readManifest(commit: Commit): ImageManifest | undefined {
  const text = commit.metadata.get(ImageKey.manifest);
  return text === undefined ? undefined : parseManifest(text);
}

function splitReference(reference: string): { repository: string; tag: string | undefined } {
  const at = reference.indexOf('@');
  if (at >= 0) return { repository: reference.slice(0, at), tag: undefined };
  const colon = reference.lastIndexOf(':');
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
