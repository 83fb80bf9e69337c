/** An image as the list shows it. */
export interface ListedImage {
  /** The name under which it is stored, as the person typed it, always with a tag or a digest: `reg:5000/a/b:latest`. */
  readonly reference: string;
  /** The reference without tag or digest. */
  readonly repository: string;
  /** The tag; `undefined` for an image stored by digest. */
  readonly tag: string | undefined;
  /** Hex of the manifest digest (compatibility M-04). */
  readonly id: string;
  /** OSTree commit whose tree is the merged root filesystem, 64 hex digits. */
  readonly commit: string;
  /** When it was stored (compatibility M-05). */
  readonly created: Date;
  /** Sum of the layer blobs as transferred, in bytes; `undefined` when the manifest lacks a size. */
  readonly virtualSize: number | undefined;
}

/** An image as the store knows it. */
export interface StoredImage extends ListedImage {
  /** Digest of the configuration blob, `sha256:...`. */
  readonly configDigest: string | undefined;
  /** Digests of the layer blobs, base first, `sha256:...`. */
  readonly layerDigests: readonly string[];
  /** Where it came from, as skopeo writes it: `docker://registry/name:tag`; `undefined` when it was not recorded. */
  readonly source: string | undefined;
}

/**
 * Whether an image is the one that a digest names: its own, or that of the list of manifests that it was chosen from, by
 * which it was asked for.
 */
export function hasDigest({ id, source }: Pick<StoredImage, 'id' | 'source'>, digest: string): boolean {
  return `sha256:${id}` === digest || source?.endsWith(`@${digest}`) === true;
}

/**
 * Where the tag of an image comes from: its source, but with the tag in place of the digest by which it was pulled
 * (`NAME:TAG@sha256:HEX`). A name that was chosen with `--as` is no tag of the source.
 */
export function findTagSource({
  source,
  repository,
  tag,
}: Pick<StoredImage, 'source' | 'repository' | 'tag'>): string | undefined {
  const place = /^docker:\/\/(.*)@sha[0-9]+:[0-9a-f]+$/.exec(source ?? '')?.[1];
  const isNamed = place === repository || place?.endsWith(`/${repository}`) === true;
  return isNamed && tag !== undefined ? `docker://${place}:${tag}` : source;
}

/** A layer or configuration blob: what `images list -a` adds (compatibility M-03). */
export interface StoredBlob {
  /** Hex of the blob digest. */
  readonly id: string;
  readonly created: Date;
  /** Bytes as transferred; `undefined` when it was not recorded. */
  readonly size: number | undefined;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/** The platform that is taken of an image for several, in the words of OCI: `linux`, `arm64`, `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** How long a registry may send nothing, in milliseconds. */
export interface SilenceLimits {
  /** Until it answers a request. */
  readonly answer: number;
  /** Between bytes of what it sends. */
  readonly bytes: number;
}

/** How to reach the source; everything left out is what containers' own configuration files say. */
export interface SourceOptions {
  /** Default: this machine's. */
  readonly platform?: Platform;
  readonly credentials?: RegistryCredentials;
  readonly authFile?: string;
  readonly certDirectory?: string;
  readonly tlsVerify?: boolean;
  /**
   * How long to wait before what failed for a moment is tried again, in milliseconds: one try more than pauses.
   * 1, 2 and 4 s when left out.
   */
  readonly retryPauses?: readonly number[];
  /** What is beyond them counts as a lost connection. 360 and 120 s when left out. */
  readonly silenceLimits?: SilenceLimits;
}

export interface PulledImage {
  readonly image: StoredImage;
  /** Layers that came over the wire, base first. */
  readonly fetched: readonly string[];
  /** Bytes of those layers as they were transferred. */
  readonly bytesFetched: number;
  /** Layers that were in the repository already. */
  readonly reused: readonly string[];
}
