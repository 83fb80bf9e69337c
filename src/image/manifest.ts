/** Image manifests: OCI image manifest v1, and Docker image manifest version 2, schema 2. Both have the same shape. */

import { AtomicError } from '../base/errors.ts';
import { isJsonObject, parseJson } from '../base/json-text.ts';
import { type Digest, isDigest } from './digest.ts';

export interface BlobDescriptor {
  /** `sha256:` and 64 hex digits. */
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly mediaType: string;
}

export interface ImageManifest {
  readonly config: BlobDescriptor;
  /** Base first. */
  readonly layers: readonly BlobDescriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

export type LayerCompression = 'none' | 'gzip' | 'zstd';

/** The registries' own limit for manifests. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** Overlay filesystems allow 500 lower layers; builders make at most 127. */
const MAX_LAYERS = 500;

const COMPRESSIONS: ReadonlyMap<string, LayerCompression> = new Map([
  ['application/vnd.oci.image.layer.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
  ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'gzip'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'gzip'],
]);

/**
 * Parses the manifest of one image.
 *
 * @param text the manifest
 * @throws AtomicError MANIFEST_INVALID for a wrong shape, MANIFEST_UNSUPPORTED for another kind of manifest
 */
export function parseManifest(text: string): ImageManifest {
  const manifest = parseObject(text);
  if (Array.isArray(manifest.manifests))
    throw invalid('it is a list of manifests where one image was expected');
  if (manifest.schemaVersion !== 2) {
    throw new AtomicError(
      'MANIFEST_UNSUPPORTED',
      `reading the manifest: schema version ${JSON.stringify(manifest.schemaVersion)} is not supported`,
      {
        hint: 'Push the image again with a current tool; Docker schema 1 is obsolete.',
      },
    );
  }
  const layers = manifest.layers;
  if (!Array.isArray(layers)) throw invalid('"layers" is not a list');
  if (layers.length === 0) throw invalid('the image has no layers');
  if (layers.length > MAX_LAYERS) throw invalid(`${layers.length} layers are more than ${MAX_LAYERS}`);
  return {
    config: readDescriptor(manifest.config, 'config'),
    layers: layers.map((layer, index) => readDescriptor(layer, `layers[${index}]`)),
    annotations: readAnnotations(manifest.annotations),
  };
}

/**
 * Finds the compression of a layer from its media type.
 *
 * @param diffId digest of the inflated layer. A layer with the same digest is not compressed, whatever its type is: for
 *   plain layers of Docker's engine and archives skopeo writes the type of gzip, because Docker has no other type
 * @throws AtomicError MANIFEST_UNSUPPORTED for an unknown media type
 */
export function findCompression(layer: BlobDescriptor, diffId?: Digest): LayerCompression {
  const compression = COMPRESSIONS.get(layer.mediaType);
  if (compression === undefined) {
    throw new AtomicError(
      'MANIFEST_UNSUPPORTED',
      `reading the manifest: layer ${layer.digest} has the unsupported type ${JSON.stringify(layer.mediaType)}`,
      {
        hint: 'System containers are made of tar layers, plain or compressed with gzip or zstd.',
      },
    );
  }
  return layer.digest === diffId ? 'none' : compression;
}

function readDescriptor(value: unknown, where: string): BlobDescriptor {
  if (!isJsonObject(value)) throw invalid(`"${where}" is not an object`);
  const { digest, size, mediaType } = value;
  if (!isDigest(digest)) throw invalid(`"${where}.digest" is not a digest of sha256 or sha512`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`"${where}.size" is not a size`);
  }
  if (typeof mediaType !== 'string') throw invalid(`"${where}.mediaType" is not a string`);
  return { digest, size, mediaType };
}

function readAnnotations(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw invalid('"annotations" is not an object');
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new AtomicError('MANIFEST_INVALID', 'reading the manifest: it is not JSON', { cause: error });
  }
  if (!isJsonObject(value)) throw invalid('it is not an object');
  return value;
}

function invalid(reason: string): AtomicError {
  return new AtomicError('MANIFEST_INVALID', `reading the manifest: ${reason}`, {
    hint: 'Ask the author of the image; nothing was stored.',
  });
}
