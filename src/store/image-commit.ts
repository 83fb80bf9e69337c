/** What the metadata of commits says about images and blobs (compatibility S-01 to S-03). */
import type { StoredBlob, StoredImage } from '../image/image.ts';
import { parseManifest } from '../image/manifest.ts';
import { parseOriginalManifest } from '../image/original-manifest.ts';
import type { Commit } from '../ostree/ostree-objects.ts';

export const ImageKey = {
  manifest: 'docker.manifest',
  digest: 'docker.digest',
  signatures: 'signatures',
  /**
   * Ours: where the image came from, as skopeo writes it, such as `docker://registry/name:tag`; empty when that is not
   * known. Only commits of ours have it, see `image-root.ts`.
   */
  source: 'atomic.source',
  /** Ours: checksum of the commit of the original that this one was made of, see `merge-image.ts`. */
  mergedFrom: 'atomic.merged_from',
} as const;

/** Name of the only file in the tree of a configuration blob (compatibility S-03). */
export const BLOB_FILE = 'content';

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

/** A layer as a manifest names it; those of old kinds do not say how large its blob is. */
export interface NamedLayer {
  readonly digest: string;
  readonly size?: number;
}

/**
 * @param reference the name that the ref decodes to
 * @param checksum of the commit
 * @throws AtomicError MANIFEST_INVALID when the recorded manifest cannot be read
 */
export function describeImage(reference: string, checksum: string, commit: Commit): StoredImage {
  const { digest: recorded, config, layers } = readImageParts(commit);
  const digest =
    commit.metadata.get(ImageKey.digest) ?? recorded ?? config ?? findFirstCommit(checksum, commit);
  const sizes = layers.flatMap(({ size }) => size ?? []);
  return nameImage(reference, {
    id: digest.slice(digest.indexOf(':') + 1),
    commit: checksum,
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

/** Without any digest the commit itself is the id, and stays it when the layers are merged. */
function findFirstCommit(checksum: string, { metadata }: Commit): string {
  return metadata.get(ImageKey.mergedFrom) ?? checksum;
}

/** What an image's commit says that the image is made of. */
interface ImageParts {
  /** Of the manifest, when that itself says it. */
  readonly digest: string | undefined;
  /** Digest of the configuration blob; manifests of old kinds have none. */
  readonly config: string | undefined;
  /** Base first; none when no manifest was recorded. */
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

function splitReference(reference: string): { repository: string; tag: string | undefined } {
  const at = reference.indexOf('@');
  if (at >= 0) return { repository: reference.slice(0, at), tag: undefined };
  const colon = reference.lastIndexOf(':');
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
