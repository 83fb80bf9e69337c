/** Opens images through the image proxy. The store reads all sources as `ImageSource`. */

import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { computeDigest, type Digest } from '../image/digest.ts';
import { ImageProxy, type OpenedImage } from './skopeo/image-proxy.ts';
import { readRawManifest } from './skopeo/skopeo.ts';
import type { SkopeoOptions } from './skopeo/source-flags.ts';

/** An open image. The caller closes it. */
export interface ImageSource {
  readonly proxy: ImageProxy;
  readonly image: OpenedImage;
  /** Location of the image, as skopeo writes it: `docker://registry/name:tag`. */
  readonly location: string;
  /** Digest of the manifest, `sha256:...`. */
  readonly digest: Digest;
  /** Bytes of the manifest; `digest` is their digest. */
  readonly manifest: Buffer;
  /** Signatures that the trust policy has accepted. Empty when it requires none. */
  readonly signatures: readonly Buffer[];
  close(): Promise<void>;
}

/**
 * Opens an image through the image proxy.
 *
 * @param source location of the image, as skopeo writes it
 * @param pin makes the location of the image with a digest; a source of this machine has only one location
 * @throws AtomicError as `ImageProxy`; DIGEST_MISMATCH when the image changes meanwhile
 */
export async function openThroughProxy(
  host: Host,
  source: string,
  options: SkopeoOptions,
  pin: (digest: Digest) => string = () => source,
): Promise<ImageSource> {
  const proxy = await ImageProxy.start(host, options);
  try {
    const image = await proxy.openImage(source);
    const manifest =
      findOriginal(image, options) ??
      checkRaw(await readRawManifest(host, pin(image.digest), options), source, image.digest);
    return {
      proxy,
      image,
      location: source,
      digest: image.digest,
      manifest,
      signatures: [],
      close: () => proxy.close(),
    };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

/**
 * Finds the original manifest without another skopeo. The proxy converts Docker manifests, but the store keeps the bytes of the
 * digest, and may have them already.
 */
function findOriginal({ manifest, digest }: OpenedImage, options: SkopeoOptions): Buffer | undefined {
  if (digestOf(manifest) === digest) return manifest;
  const stored = options.findManifest?.();
  return stored !== undefined && digestOf(stored) === digest ? stored : undefined;
}

function checkRaw(raw: Buffer, source: string, digest: Digest): Buffer {
  if (digestOf(raw) === digest) return raw;
  // The output of a program is decoded as UTF-8, which replaces invalid bytes by this character.
  if (raw.includes('\ufffd')) {
    throw new AtomicError('MANIFEST_INVALID', `reading the manifest of ${source}: it is not UTF-8`, {
      hint: 'Ask the author of the image; nothing was stored.',
    });
  }
  throw new AtomicError('DIGEST_MISMATCH', `reading the manifest of ${source}: its digest is not ${digest}`, {
    hint: 'The image was changed in its source meanwhile; pull again.',
  });
}

function digestOf(data: Buffer): Digest {
  return computeDigest('sha256', data);
}

/** A folder on the filesystem of the store for files that a source needs. It is removed when the image is closed. */
export interface Scratch {
  /** Creates the folder at the first call. @returns its path */
  open(): Promise<string>;
  /**
   * Checks the space for a copy of an image.
   *
   * @param manifest manifest of the image in OCI form; only its sizes are used, and they are not verified
   * @throws AtomicError NO_SPACE when the copy and the missing layers do not fit on the filesystem
   */
  requireRoom(manifest: Buffer): Promise<void>;
}
