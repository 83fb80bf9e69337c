/** Opens the image of a known digest again. */

import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { Digest } from '../image/digest.ts';
import type { SourceOptions } from '../image/image.ts';
import { pinReference } from '../image/reference.ts';
import { parseSourceName } from '../image/source-name.ts';
import type { ImageSource, Scratch } from './image-source.ts';
import { locateImage } from './locate-image.ts';
import { openImage } from './open-image.ts';

interface PinnedImage {
  /** As skopeo writes it: `docker://registry/name:tag`, `oci:/folder:tag`. */
  readonly location: string;
  /** Digest of the image's manifest. A registry finds the image by it; in another source the name must still lead to it. */
  readonly digest: Digest;
}

/**
 * @param scratch folder that exists longer than the image is open
 * @throws AtomicError DIGEST_MISMATCH when the location has another image now; as `locateImage` and `openImage`
 */
export async function openPinnedImage(
  host: Host,
  { location, digest }: PinnedImage,
  scratch: Scratch,
  options: SourceOptions,
): Promise<ImageSource> {
  const found = await locateImage(host, parseSourceName(location));
  const pinned =
    found.kind === 'registry' ? { ...found, reference: pinReference(found.reference, digest) } : found;
  const opened = await openImage(host, pinned, scratch, options);
  if (opened.digest === digest) return opened;
  await opened.close();
  throw new AtomicError('DIGEST_MISMATCH', `opening ${location}: it is ${opened.digest} now, not ${digest}`, {
    hint: 'Restore the former image there, or pull the new one.',
  });
}
