import type { Host } from '../host/host.ts';
import type { SourceOptions } from '../image/image.ts';
import type { ImageLocation } from '../image/image-location.ts';
import type { ImageSource, Scratch } from './image-source.ts';
import { openRegistryImage } from './registry-source.ts';

/**
 * Opens an image of any source under the trust policy.
 *
 * @param scratch folder that exists longer than the image is open
 * @throws as `openRegistryImage` and `openLocalImage`
 */
export async function openImage(
  host: Host,
  location: ImageLocation,
  scratch: Scratch,
  options: SourceOptions,
): Promise<ImageSource> {
  if (location.kind !== 'registry') {
    const { openLocalImage } = await import('./local-source.ts');
    return openLocalImage(host, location, scratch, options);
  }
  const { reference } = location;
  const registryOptions = reference.isInsecure ? { ...options, tlsVerify: false } : options;
  return openRegistryImage(host, reference, scratch, registryOptions);
}
