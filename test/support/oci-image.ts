/**
 * Builds images in memory: layers, configuration, manifest, index. Everything has a good default and everything can
 * be replaced, so that odd and hostile images are as easy as good ones. `oci-layout.ts` and `registry-push.ts` write
 * them where programs can read them.
 */

import { gzipSync, zstdCompressSync } from 'node:zlib';
import { computeDigest, type Digest } from '../../src/image/digest.ts';
import { buildTar, type TarEntry } from './tar-writer.ts';

export type ImageKind = 'oci' | 'docker';
export type Compression = 'none' | 'gzip' | 'zstd';

/** Bytes with a name, and their description in the manifest. `digest` and `size` may be false. */
export interface Blob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly data: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface LayerInput {
  /** Entries, or a ready archive (which may be garbage). */
  readonly tar: readonly TarEntry[] | Uint8Array;
  /** Default `gzip`. */
  readonly compression?: Compression;
  /** The blob itself instead of the compressed archive, for example a truncated one. */
  readonly data?: Uint8Array;
  /** False values for the manifest. */
  readonly claim?: { readonly mediaType?: string; readonly digest?: string; readonly size?: number };
  /** False values for `diff_ids` of the configuration. */
  readonly diffId?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The `config` object of the configuration blob. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: object;
  readonly Volumes?: Readonly<Record<string, Readonly<Record<string, never>>>>;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface ImageInput {
  /** Base first. An array of entries is a gzip layer of them. */
  readonly layers: readonly (LayerInput | readonly TarEntry[])[];
  readonly config?: ImageConfig;
  /** Default `oci`. */
  readonly kind?: ImageKind;
  /** Default: this machine's. */
  readonly platform?: Platform;
  /** RFC 3339; default 2016-09-12. */
  readonly created?: string;
  /** Annotations of the manifest (not in docker manifests). */
  readonly annotations?: Readonly<Record<string, string>>;
  /** The configuration blob itself, for example not JSON. */
  readonly configData?: Uint8Array;
  /** Members merged over the manifest's JSON. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

export interface BuiltLayer extends Blob {
  /** Digest of the uncompressed archive. */
  readonly diffId: Digest;
}

export interface BuiltImage {
  readonly type: 'image';
  readonly platform: Platform;
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layers: readonly BuiltLayer[];
}

export interface BuiltIndex {
  readonly type: 'index';
  readonly manifest: Blob;
  readonly images: readonly BuiltImage[];
}

const MEDIA_TYPES = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: {
      none: 'application/vnd.oci.image.layer.v1.tar',
      gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
      zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
    },
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: {
      none: 'application/vnd.docker.image.rootfs.diff.tar',
      gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      zstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
    },
  },
} as const;

const DEFAULT_CREATED = '2016-09-12T00:00:00Z';

export function buildImage(input: ImageInput): BuiltImage {
  const kind = input.kind ?? 'oci';
  const platform = input.platform ?? hostPlatform();
  const layers = input.layers.map((layer) => buildLayer('tar' in layer ? layer : { tar: layer }, kind));
  const config = toBlob(MEDIA_TYPES[kind].config, input.configData ?? formatConfig(input, platform, layers));
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES[kind].manifest,
    config: descriptor(config),
    layers: layers.map(descriptor),
    ...(input.annotations === undefined ? {} : { annotations: input.annotations }),
    ...input.manifest,
  };
  return {
    type: 'image',
    platform,
    manifest: toBlob(MEDIA_TYPES[kind].manifest, toJson(manifest)),
    config,
    layers,
  };
}

/** An OCI index or docker manifest list over images of several platforms. */
export function buildIndex(
  images: readonly BuiltImage[],
  options: { readonly kind?: ImageKind; readonly annotations?: Readonly<Record<string, string>> } = {},
): BuiltIndex {
  const mediaType = MEDIA_TYPES[options.kind ?? 'oci'].index;
  const index = {
    schemaVersion: 2,
    mediaType,
    manifests: images.map((image) => ({ ...descriptor(image.manifest), platform: image.platform })),
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  };
  return { type: 'index', manifest: toBlob(mediaType, toJson(index)), images };
}

/** Every blob that is not a manifest, each once, whatever the images share. */
export function listBlobs(artifact: BuiltImage | BuiltIndex): Blob[] {
  const images = artifact.type === 'image' ? [artifact] : artifact.images;
  const blobs = images.flatMap((image) => [image.config, ...image.layers]);
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

/** `sha256:HEX` of `data`. */
export function digestOf(data: Uint8Array): Digest {
  return computeDigest('sha256', data);
}

/** The same image with digests of sha512 for its layers, their content and its configuration. */
export function nameBySha512(input: ImageInput): BuiltImage {
  const sha512 = (data: Uint8Array): Digest => computeDigest('sha512', data);
  const layers = input.layers.map((layer): LayerInput => {
    const given = 'tar' in layer ? layer : { tar: layer };
    const tar = given.tar instanceof Uint8Array ? given.tar : buildTar(given.tar);
    const data = given.data ?? compress(tar, given.compression ?? 'gzip');
    return { ...given, tar, claim: { digest: sha512(data) }, diffId: sha512(tar) };
  });
  const { config } = buildImage({ ...input, layers });
  const digest = sha512(config.data);
  const { mediaType, size } = config;
  const built = buildImage({ ...input, layers, manifest: { config: { mediaType, digest, size } } });
  return { ...built, config: { ...config, digest } };
}

/** The platform of this machine in the words of OCI, or that of an emulated `atomic` (test/scripts/arm64.test.ts). */
export function hostPlatform(): Platform {
  const native = process.arch === 'x64' ? 'amd64' : process.arch;
  return { os: 'linux', architecture: process.env.ATOMIC_IMAGE_ARCHITECTURE ?? native };
}

function buildLayer(input: LayerInput, kind: ImageKind): BuiltLayer {
  const tar = input.tar instanceof Uint8Array ? input.tar : buildTar(input.tar);
  const compression = input.compression ?? 'gzip';
  const blob = toBlob(MEDIA_TYPES[kind].layer[compression], input.data ?? compress(tar, compression));
  const annotations = input.annotations === undefined ? {} : { annotations: input.annotations };
  const { digest = blob.digest, ...claim } = input.claim ?? {};
  // A lie need not be a digest.
  const diffId = (input.diffId ?? digestOf(tar)) as Digest;
  return { ...blob, ...claim, digest: digest as Digest, ...annotations, diffId };
}

function compress(tar: Uint8Array, compression: Compression): Uint8Array {
  switch (compression) {
    case 'none':
      return tar;
    case 'gzip':
      return gzipSync(tar);
    case 'zstd':
      return zstdCompressSync(tar);
  }
}

function formatConfig(input: ImageInput, platform: Platform, layers: readonly BuiltLayer[]): Uint8Array {
  const created = input.created ?? DEFAULT_CREATED;
  return toJson({
    created,
    ...platform,
    config: input.config ?? {},
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((_, index) => ({ created, created_by: `layer ${index + 1}` })),
  });
}

function toBlob(mediaType: string, data: Uint8Array): Blob {
  return { mediaType, digest: digestOf(data), size: data.length, data };
}

function descriptor({ mediaType, digest, size, annotations }: Blob) {
  return { mediaType, digest, size, ...(annotations === undefined ? {} : { annotations }) };
}

function toJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value, undefined, 2));
}
