/** The metadata of the commits of images and blobs (compatibility S-01 to S-03). */

import type { Checksum } from '../image/checksum.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import type { ImageFacts, StoredBlob, StoredImage } from '../image/image.ts';
import { parseManifest } from '../image/manifest.ts';
import { parseOriginalManifest } from '../image/original-manifest.ts';
import { splitName } from '../image/reference.ts';
import type { Commit } from '../ostree/ostree-objects.ts';

export const ImageKey = {
  manifest: 'docker.manifest',
  digest: 'docker.digest',
  signatures: 'signatures',
  /**
   * Own key: location that the image came from, as skopeo writes it, such as `docker://registry/name:tag`; empty when it is
   * unknown. Only commits of this program have it, see `image-root.ts`.
   */
  source: 'atomic.source',
  /** Own key: checksum of the original tool's commit from which this one was merged, see `merge-image.ts`. */
  mergedFrom: 'atomic.merged_from',
} as const;

/** Name of the only file in the tree of a configuration blob (compatibility S-03). */
export const BLOB_FILE = 'content';

export const BlobKey = {
  size: 'docker.size',
  uncompressedSize: 'docker.uncompressed_size',
  uncompressedDigest: 'docker.uncompressed_digest',
  /** Record that rebuilds the archive byte for byte; see `tar-split-recorder.ts`. */
  tarSplit: 'tarsplit.output',
  /** Own key: base64 of the first bytes of the blob; see `blob-start.ts`. */
  start: 'atomic.blob_start',
  /** Own key: JSON list of the directories that the archive implies, for the merge; absent when there are none. */
  impliedDirectories: 'atomic.implied_directories',
  /** Own key: `NO_WHITEOUTS` when no name of the layer begins like a whiteout; absent otherwise. */
  whiteouts: 'atomic.whiteouts',
  /** Own key: set when the content is that of another layer and this layer was never fetched. */
  adopted: 'atomic.adopted',
} as const;

export const NO_WHITEOUTS = 'none';

/** A layer as a manifest names it. Manifests of old kinds do not have the size of its blob. */
export interface NamedLayer {
  readonly digest: Digest;
  readonly size?: number;
}

/**
 * @param reference name of the image, decoded from its ref
 * @param checksum checksum of the commit
 * @throws AtomicError MANIFEST_INVALID when the recorded manifest cannot be read
 */
export function describeImage(reference: string, checksum: Checksum, commit: Commit): StoredImage {
  return { ...describeManifest(reference, commit, checksum), commit: checksum };
}

/**
 * Describes an image by the manifest in the metadata of its commit.
 *
 * @param first id of an image without any digest: the checksum of its commit
 * @throws AtomicError MANIFEST_INVALID when the recorded manifest cannot be read
 */
export function describeManifest(
  reference: string,
  commit: Pick<Commit, 'metadata' | 'timestamp'>,
  first: string,
): ImageFacts {
  const { digest: recorded, config, layers } = readImageParts(commit);
  const digest =
    readRecordedDigest(commit, ImageKey.digest) ?? recorded ?? config ?? findFirstCommit(first, commit);
  const sizes = layers.flatMap(({ size }) => size ?? []);
  return nameImage(reference, {
    id: digest.slice(digest.indexOf(':') + 1),
    created: commit.timestamp,
    virtualSize:
      layers.length > 0 && sizes.length === layers.length
        ? sizes.reduce((sum, size) => sum + size)
        : undefined,
    configDigest: config,
    layerDigests: layers.map((layer) => layer.digest),
    source: commit.metadata.get(ImageKey.source) || undefined,
  });
}

/** Adds the names to the facts about an image. @param reference name of the image, decoded from its ref */
export function nameImage<Facts>(
  reference: string,
  facts: Facts,
): Facts & Pick<StoredImage, 'reference' | 'repository' | 'tag'> {
  const { repository, tag } = splitName(reference);
  return { reference, repository, tag, ...facts };
}

/** @param digest digest of the blob, `sha256:...` */
export function describeBlob(digest: Digest, commit: Commit): StoredBlob {
  const size = commit.metadata.get(BlobKey.size);
  return {
    id: digest.slice(digest.indexOf(':') + 1),
    created: commit.timestamp,
    size: size === undefined ? undefined : Number(size),
  };
}

/** An image without a digest has the checksum of its first commit as id, also after its layers are merged. */
function findFirstCommit(checksum: string, { metadata }: Pick<Commit, 'metadata'>): string {
  return metadata.get(ImageKey.mergedFrom) ?? checksum;
}

/** Reads a digest in the metadata of a commit; `undefined` when it is absent or damaged. */
export function readRecordedDigest(
  { metadata }: Pick<Commit, 'metadata'>,
  key: typeof ImageKey.digest | typeof BlobKey.uncompressedDigest,
): Digest | undefined {
  const text = metadata.get(key);
  return isDigest(text) ? text : undefined;
}

/** The parts of an image, by the manifest in its commit. */
interface ImageParts {
  /** Digest of the manifest, when the commit has it. */
  readonly digest: Digest | undefined;
  /** Digest of the configuration blob; manifests of old kinds have none. */
  readonly config: Digest | undefined;
  /** Layers, base first. Empty when no manifest is recorded. */
  readonly layers: readonly NamedLayer[];
}

/** @throws AtomicError MANIFEST_INVALID, MANIFEST_UNSUPPORTED when the recorded manifest cannot be read */
export function readImageParts({ metadata }: Pick<Commit, 'metadata'>): ImageParts {
  const text = metadata.get(ImageKey.manifest);
  if (text === undefined) return { digest: undefined, config: undefined, layers: [] };
  const old = metadata.get(ImageKey.source) ? undefined : parseOriginalManifest(text);
  if (old !== undefined) {
    const { digest, layers } = old;
    return { digest, config: undefined, layers: layers.map((layer) => ({ digest: layer })) };
  }
  const { config, layers } = parseManifest(text);
  return { digest: undefined, config: config.digest, layers };
}
