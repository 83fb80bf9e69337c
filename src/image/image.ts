/** An image in `images list`. */

import type { Checksum } from './checksum.ts';
import type { Digest } from './digest.ts';
import { tryParseReference } from './reference.ts';

export interface ListedImage {
  /** The name under which it is stored, always with a tag or a digest: `reg:5000/a/b:latest`. */
  readonly reference: string;
  /** The reference without tag or digest. */
  readonly repository: string;
  /** The tag; `undefined` for an image stored by digest. */
  readonly tag: string | undefined;
  /** Hex of the manifest digest (compatibility M-04). */
  readonly id: string;
  /** OSTree commit whose tree is the merged root filesystem, 64 hex digits. */
  readonly commit: Checksum;
  /** When the image was stored (compatibility M-05). */
  readonly created: Date;
  /** The sum of the compressed layers in bytes; `undefined` when the manifest has not all sizes. */
  readonly virtualSize: number | undefined;
}

/** An image in the store, with its parts. */
export interface StoredImage extends ListedImage {
  /** Digest of the configuration blob, `sha256:...`. */
  readonly configDigest: Digest | undefined;
  /** Digests of the layer blobs, base first, `sha256:...`. */
  readonly layerDigests: readonly Digest[];
  /** The source of the image in the form of skopeo: `docker://registry/name:tag`; `undefined` when not recorded. */
  readonly source: string | undefined;
}

/** The facts about an image from its manifest, without the commit of its root filesystem. */
export type ImageFacts = Omit<StoredImage, 'commit'>;

/**
 * Whether a digest names an image: its own digest, or that of the list of manifests when the image was pulled by it.
 */
export function hasDigest({ id, source }: Pick<StoredImage, 'id' | 'source'>, digest: Digest): boolean {
  return `sha256:${id}` === digest || source?.endsWith(`@${digest}`) === true;
}

/**
 * Finds the source of the tag of an image. After a pull of `NAME:TAG@sha256:HEX` that is the source with the tag in place
 * of the digest. A name that was chosen with `--as` is not a tag of the source.
 */
export function findTagSource({
  source,
  repository,
  tag,
}: Pick<StoredImage, 'source' | 'repository' | 'tag'>): string | undefined {
  const origin = source?.startsWith('docker://') ? tryParseReference(source) : undefined;
  if (origin?.digest === undefined || tag === undefined) return source;
  const isNamed = origin.repository === repository || origin.repository.endsWith(`/${repository}`);
  return isNamed ? `docker://${origin.repository}:${tag}` : source;
}

/** A layer or configuration blob in `images list -a` (compatibility M-03). */
export interface StoredBlob {
  /** Hex of the blob digest. */
  readonly id: string;
  readonly created: Date;
  /** The compressed size in bytes; `undefined` when it was not recorded. */
  readonly size: number | undefined;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/** A platform in the words of OCI: `linux`, `arm64`, `v8`. It chooses the image from a list of manifests. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** How long to wait for a registry that sends nothing, in milliseconds. */
export interface SilenceLimits {
  /** The longest wait for the answer to a request. */
  readonly answer: number;
  /** The longest wait for the next bytes of a transfer. */
  readonly bytes: number;
}

/** How to reach the source. The configuration files of containers/image give the other values. */
export interface SourceOptions {
  /** The default is the platform of this machine. */
  readonly platform?: Platform;
  readonly credentials?: RegistryCredentials;
  readonly authFile?: string;
  readonly certDirectory?: string;
  readonly tlsVerify?: boolean;
  /**
   * The pauses before further tries after a transient failure, in milliseconds. There is one try more than pauses. The
   * default is 1, 2 and 4 s.
   */
  readonly retryPauses?: readonly number[];
  /** A longer silence counts as a lost connection. The default is 360 and 120 s. */
  readonly silenceLimits?: SilenceLimits;
  /** Work for the time in which skopeo starts. It is called as soon as the image proxy runs, and must not fail. */
  readonly whileStarting?: () => void;
  /** Finds the manifest of the image in the store, which often is still that of the source. Its digest is compared. */
  readonly findManifest?: () => Buffer | undefined;
}

export interface PulledImage {
  readonly image: StoredImage;
  /** Digests of the layers that were fetched, base first. */
  readonly fetched: readonly Digest[];
  /** The compressed bytes of those layers. */
  readonly bytesFetched: number;
  /** Digests of the layers that were in the repository already. */
  readonly reused: readonly Digest[];
  /** Whether the image was stored already, completely and under this name. */
  readonly isUpToDate: boolean;
}

/** The entry at a path of an image. */
export type ImageEntry =
  | { readonly kind: 'directory' | 'file' }
  | { readonly kind: 'symlink'; readonly target: string };

/** A part of an exported image: its manifest, its configuration or a layer. */
export interface ExportedPart {
  /** The digest in the stored image, `sha256:...`. */
  readonly original: Digest;
  /** The digest at the destination; `undefined` when the destination has no such part. */
  readonly digest: Digest | undefined;
  /** Why the two digests differ; `undefined` when they are equal. */
  readonly reason: string | undefined;
}

export interface ExportedImage {
  readonly reference: string;
  /** The destination in the form of skopeo. */
  readonly destination: string;
  readonly manifest: ExportedPart;
  readonly config: ExportedPart;
  /** Base first. */
  readonly layers: readonly ExportedPart[];
}
