/** Asks a registry for the current digest of a name, without opening the image. */

import { AtomicError } from '../base/errors.ts';
import { parseJson } from '../base/json-text.ts';
import type { Host } from '../host/host.ts';
import { computeDigest, type Digest } from '../image/digest.ts';
import type { SourceOptions } from '../image/image.ts';
import { formatRequest, type ImageReference } from '../image/reference.ts';
import { ImageProxy } from './skopeo/image-proxy.ts';
import { readRawManifest } from './skopeo/skopeo.ts';
import { prepareAccess } from './trust/credentials-file.ts';

/**
 * Reads the digest that a name has in its registry now. When the name is a list of images: `own` if the list has it,
 * with any platform; otherwise the digest of the image for this machine's platform.
 *
 * @param own digest of the stored image
 * @returns `undefined` when the name no longer exists in the registry
 * @throws AtomicError REGISTRY_AUTH, REGISTRY_UNREACHABLE, MANIFEST_UNSUPPORTED, TOOL_MISSING and the like
 */
export async function findRemoteDigest(
  host: Host,
  image: ImageReference,
  own: Digest,
  options: SourceOptions,
): Promise<Digest | undefined> {
  const location = `docker://${formatRequest(image)}`;
  const access = await prepareAccess(image, options);
  try {
    const raw = await readRawManifest(host, location, access.options);
    const digest = computeDigest('sha256', raw);
    const platforms = listDigests(raw);
    if (platforms === undefined || digest === own) return digest;
    return platforms.includes(own) ? own : await readPlatformDigest(host, location, access.options);
  } catch (error) {
    if (error instanceof AtomicError && error.code === 'IMAGE_NOT_FOUND') return undefined;
    throw access.explain(error);
  } finally {
    access.remove();
  }
}

/** @returns the digests in a list of manifests; `undefined` for the manifest of one image */
function listDigests(raw: Buffer): readonly unknown[] | undefined {
  let manifest: unknown;
  try {
    manifest = parseJson(raw.toString('utf8'));
  } catch (error) {
    throw new AtomicError('MANIFEST_INVALID', 'reading the manifest: it is not JSON', { cause: error });
  }
  const list = (manifest as { manifests?: unknown } | null)?.manifests;
  return Array.isArray(list) ? list.map((entry: { digest?: unknown } | null) => entry?.digest) : undefined;
}

async function readPlatformDigest(host: Host, location: string, options: SourceOptions): Promise<Digest> {
  const proxy = await ImageProxy.start(host, options);
  try {
    return (await proxy.openImage(location)).digest;
  } finally {
    await proxy.close();
  }
}
