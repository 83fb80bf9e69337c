/** Opens again exactly the image that came from a location before. */
import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { SourceOptions } from '../image/image.ts';
import type { ImageSource, Scratch } from './image-source.ts';
import { locateImage } from './locate-image.ts';
import { openImage } from './open-image.ts';

/**
 * @param location as skopeo writes it: `docker://registry/name:tag`, `oci:/folder:tag`
 * @param digest of the image's manifest; a registry is asked for it, another source must still have it
 * @param scratch lives longer than the open image
 * @throws AtomicError DIGEST_MISMATCH when another image is there now; what `locateImage` and `openImage` throw
 */
export async function openPinnedImage(
  host: Host,
  location: string,
  digest: string,
  scratch: Scratch,
  options: SourceOptions,
): Promise<ImageSource> {
  const found = await locateImage(host, location);
  const pinned =
    found.kind === 'registry'
      ? { ...found, reference: { ...found.reference, tag: undefined, digest } }
      : found;
  const opened = await openImage(host, pinned, scratch, options);
  if (opened.digest === digest) return opened;
  await opened.close();
  throw new AtomicError('DIGEST_MISMATCH', `opening ${location}: it is ${opened.digest} now, not ${digest}`, {
    hint: 'Bring the image back that was there, or pull the new one.',
  });
}
