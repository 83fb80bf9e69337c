/** Plans the manifest of an exported image: the stored bytes where that is possible. */

import { isJsonObject, type JsonObject, parseJson } from '../../base/json-text.ts';
import type { Digest } from '../../image/digest.ts';
import { type BlobDescriptor, findCompression, parseManifest } from '../../image/manifest.ts';

/** `own`: the stored manifest. `oci`: an OCI manifest. `uncompressed`: a Docker manifest whose layers are plain archives. */
export type ManifestForm = 'own' | 'oci' | 'uncompressed';

export interface LayerChange {
  readonly digest: Digest;
  readonly size: number;
}

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
const OCI_LAYERS = {
  none: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

/** Annotations with positions in a blob, which are wrong for any other blob of the same content. */
const BLOB_ANNOTATION =
  /^(?:io\.github\.containers\.zstd-chunked\.|io\.containers\.zstd-chunked\.|containerd\.io\/snapshot\/stargz\/|dev\.containerd\.seekable-)/;

/**
 * Plans the manifest. Every form has the same bytes of the configuration, and the same annotations.
 *
 * @param text text of the stored manifest
 * @param changes blobs that replace others, by the digest of the replaced blob
 * @param plainLayers digests of layers that are not compressed, with any type
 * @returns `text` itself when nothing has to change
 * @throws AtomicError MANIFEST_INVALID, MANIFEST_UNSUPPORTED
 */
export function planManifest(
  text: string,
  form: ManifestForm,
  changes: ReadonlyMap<string, LayerChange>,
  plainLayers: ReadonlySet<string>,
): string {
  const { layers, config: configBlob } = parseManifest(text);
  const manifest = parseJson(text) as JsonObject;
  const isConverted = form === 'uncompressed' || (form === 'oci' && isDockerManifest(manifest));
  if (!isConverted && [configBlob, ...layers].every(({ digest }) => !changes.has(digest))) return text;
  const planned = layers.map((layer, index) => {
    const written = Array.isArray(manifest.layers) ? manifest.layers[index] : undefined;
    const change = changes.get(layer.digest);
    return {
      ...(isJsonObject(written) ? written : {}),
      ...(isConverted ? { mediaType: chooseType(layer, form, plainLayers) } : {}),
      ...(change === undefined
        ? {}
        : { digest: change.digest, size: change.size, ...dropBlobAnnotations(written) }),
    };
  });
  const written = isJsonObject(manifest.config) ? manifest.config : {};
  const config = { ...written, ...changes.get(configBlob.digest) };
  if (!isConverted) return format({ ...manifest, config, layers: planned });
  const isOci = form === 'oci';
  return format({
    ...manifest,
    mediaType: isOci ? OCI_MANIFEST : DOCKER_MANIFEST,
    config: { ...config, mediaType: isOci ? OCI_CONFIG : DOCKER_CONFIG },
    layers: planned,
  });
}

function chooseType(layer: BlobDescriptor, form: ManifestForm, plainLayers: ReadonlySet<string>): string {
  if (form !== 'oci') return DOCKER_LAYER;
  return OCI_LAYERS[plainLayers.has(layer.digest) ? 'none' : findCompression(layer)];
}

/** A manifest of schema 2 without a media type is an OCI manifest, where the media type is optional. */
function isDockerManifest({ mediaType, config }: JsonObject): boolean {
  return mediaType === DOCKER_MANIFEST || (isJsonObject(config) && config.mediaType === DOCKER_CONFIG);
}

function dropBlobAnnotations(layer: unknown): { annotations?: JsonObject } {
  const annotations = isJsonObject(layer) ? layer.annotations : undefined;
  if (!isJsonObject(annotations)) return {};
  return {
    annotations: Object.fromEntries(
      Object.entries(annotations).filter(([key]) => !BLOB_ANNOTATION.test(key)),
    ),
  };
}

function format(manifest: JsonObject): string {
  return JSON.stringify(manifest, undefined, 2);
}
