/** Reads the manifest, the configuration and the layers of a stored image. */

import { isJsonObject, parseJson } from '../base/json-text.ts';
import type { Host } from '../host/host.ts';
import {
  emptyConfiguration,
  type ImageConfiguration,
  parseConfiguration,
} from '../image/configuration-blob.ts';
import type { Digest } from '../image/digest.ts';
import type { ListedImage, StoredImage } from '../image/image.ts';
import type { ImageDescription } from '../image/image-description.ts';
import type { LayerFacts } from '../image/image-history.ts';
import { type BlobDescriptor, parseManifest } from '../image/manifest.ts';
import { formatBlobRef } from '../image/ref-name.ts';
import { findRef, readCommit } from '../ostree/object-files.ts';
import { BlobKey, ImageKey, readRecordedDigest } from './image-commit.ts';
import { readImageConfig } from './image-files.ts';

/**
 * @param all all images of the store, see `listImages`: some may be other names of the image
 * @throws AtomicError STORE_CORRUPT, MANIFEST_INVALID, MANIFEST_UNSUPPORTED
 */
export async function readImageDescription(
  host: Host,
  image: StoredImage,
  all: readonly ListedImage[],
): Promise<ImageDescription> {
  const { repository } = host.locations;
  const { metadata } = readCommit(repository, image.commit);
  const text = metadata.get(ImageKey.manifest);
  const manifest = text === undefined ? undefined : parseManifest(text);
  const { config, details } = await readConfiguration(host, image);
  return {
    image,
    names: all.filter(({ id }) => id === image.id).map(({ reference }) => reference),
    digest: readRecordedDigest({ metadata }, ImageKey.digest),
    mediaType: text === undefined ? '' : readMediaType(text),
    annotations: manifest?.annotations ?? {},
    layers: (manifest?.layers ?? []).map((layer, index) =>
      describeLayer(repository, layer, details.diffIds[index]),
    ),
    config,
    details,
    signatures: Number(metadata.get(ImageKey.signatures) ?? 0) || 0,
  };
}

/**
 * Reads the configuration of an image. A missing configuration, which the prune of the original tool removed, is
 * reported and counts as empty.
 *
 * @throws AtomicError STORE_CORRUPT, MANIFEST_INVALID
 */
export async function readConfiguration(host: Host, image: StoredImage): Promise<ImageConfiguration> {
  const { configDigest, reference } = image;
  const ref = configDigest === undefined ? undefined : formatBlobRef(configDigest);
  if (ref === undefined || findRef(host.locations.repository, ref) === undefined) {
    const text = `the configuration of ${reference} is not in the store; pull the image again to see it`;
    host.report({ kind: 'warning', text });
    return emptyConfiguration;
  }
  return parseConfiguration(await readImageConfig(host, image), reference);
}

function describeLayer(repository: string, layer: BlobDescriptor, diffId: Digest | undefined): LayerFacts {
  const commit = findRef(repository, formatBlobRef(layer.digest));
  const metadata = commit === undefined ? undefined : readCommit(repository, commit).metadata;
  const uncompressedSize = metadata?.get(BlobKey.uncompressedSize);
  return {
    digest: layer.digest,
    diffId: diffId ?? (metadata && readRecordedDigest({ metadata }, BlobKey.uncompressedDigest)),
    size: layer.size,
    uncompressedSize: uncompressedSize === undefined ? undefined : Number(uncompressedSize),
    mediaType: layer.mediaType,
  };
}

function readMediaType(manifest: string): string {
  const value: unknown = parseJson(manifest);
  return isJsonObject(value) && typeof value.mediaType === 'string' ? value.mediaType : '';
}
