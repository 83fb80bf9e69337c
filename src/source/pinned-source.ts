/** Opens again exactly the image that came from a location before. */
import { AtomicError } from '../core/errors.ts';
import type { SourceOptions } from '../core/image.ts';
import { parseReference } from '../core/reference.ts';
import type { Host } from '../host/host.ts';
import { ImageProxy } from './image-proxy.ts';
import { type ImageSource, openRegistryImage } from './registry-source.ts';

const REGISTRY = 'docker://';

/**
 * @param location as skopeo writes it: `docker://registry/name:tag`, `oci:/folder:tag`
 * @param digest of the image's manifest; a registry is asked for it, another source must still have it
 * @param makeScratch as for `openRegistryImage`
 * @throws AtomicError DIGEST_MISMATCH when another image is there now; what `openRegistryImage` throws
 */
export async function openPinnedImage(
  host: Host,
  location: string,
  digest: string,
  makeScratch: () => string,
  options: SourceOptions,
): Promise<ImageSource> {
  if (location.startsWith(REGISTRY)) {
    const reference = parseReference(location.slice(REGISTRY.length));
    return openRegistryImage(host, { ...reference, tag: undefined, digest }, makeScratch, options);
  }
  const proxy = await ImageProxy.start(host, {});
  try {
    const image = await proxy.openImage(location);
    if (image.digest !== digest) {
      throw new AtomicError(
        'DIGEST_MISMATCH',
        `opening ${location}: it is ${image.digest} now, not ${digest}`,
        {
          hint: 'Bring the image back that was there, or pull the new one.',
        },
      );
    }
    return { proxy, image, location, digest, manifest: image.manifest, close: () => proxy.close() };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}
