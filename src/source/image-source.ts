/** An open image: what the store reads from, whatever the source is. */
import { createHash } from 'node:crypto';
import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { ImageProxy, type OpenedImage } from './skopeo/image-proxy.ts';
import { readRawManifest } from './skopeo/skopeo.ts';
import type { SkopeoOptions } from './skopeo/source-flags.ts';

/** An image that can be read. The caller closes it. */
export interface ImageSource {
  readonly proxy: ImageProxy;
  readonly image: OpenedImage;
  /** Where it comes from, as skopeo writes it: `docker://registry/name:tag`. */
  readonly location: string;
  /** Digest of the manifest, `sha256:...`. */
  readonly digest: string;
  /** The bytes that `digest` names. */
  readonly manifest: Buffer;
  /** Signatures that the trust policy has accepted; none when it asks for none. */
  readonly signatures: readonly Buffer[];
  close(): Promise<void>;
}

/**
 * Opens an image through the image proxy.
 *
 * @param source as skopeo writes it
 * @throws AtomicError what `ImageProxy` throws; DIGEST_MISMATCH when the image changes meanwhile
 */
export async function openThroughProxy(
  host: Host,
  source: string,
  options: SkopeoOptions,
): Promise<ImageSource> {
  const proxy = await ImageProxy.start(host, options);
  try {
    const image = await proxy.openImage(source);
    const manifest =
      digestOf(image.manifest) === image.digest
        ? image.manifest
        : await readRaw(host, source, image, options);
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

/** The proxy converts Docker manifests; the store keeps the bytes that the digest names. */
async function readRaw(
  host: Host,
  source: string,
  image: OpenedImage,
  options: SkopeoOptions,
): Promise<Buffer> {
  const raw = await readRawManifest(host, pinDigest(source, image.digest), options);
  if (digestOf(raw) === image.digest) return raw;
  // What a program prints is read as text, where this character takes the place of what is none.
  if (raw.includes('\ufffd')) {
    throw new AtomicError('MANIFEST_INVALID', `reading the manifest of ${source}: it is not UTF-8`, {
      hint: 'Ask the author of the image; nothing was stored.',
    });
  }
  throw new AtomicError(
    'DIGEST_MISMATCH',
    `reading the manifest of ${source}: its digest is not ${image.digest}`,
    {
      hint: 'The image changed in its source just now; pull again.',
    },
  );
}

function pinDigest(source: string, digest: string): string {
  if (!source.startsWith('docker://') || source.includes('@')) return source;
  return `${source.slice(0, source.lastIndexOf(':'))}@${digest}`;
}

function digestOf(data: Buffer): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** What the store lends a source: a folder on its filesystem, gone when the image is closed. */
export interface Scratch {
  /** @returns the path, empty at the first call; made then */
  open(): Promise<string>;
  /**
   * @param manifest of an image that will be copied there, in OCI form, not verified yet: good for the sizes it claims
   * @throws AtomicError NO_SPACE when the copy and the layers that are missing in the store do not fit
   */
  requireRoom(manifest: Buffer): Promise<void>;
}
