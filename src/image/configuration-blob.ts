/** The configuration blob of an image: everything that is read of it later is checked when it arrives. */
import { readDiffIds } from './diff-ids.ts';
import { parseImageConfig } from './image-config.ts';
import { parseImageDetails } from './image-details.ts';

/**
 * Checks a configuration before it is stored, so that no image is in the store which nothing can show or install.
 *
 * @param text the configuration blob
 * @param image image name for the message
 * @param layers how many layers the manifest has
 * @returns the digests of the inflated layers, base first
 * @throws AtomicError MANIFEST_INVALID when it is not JSON, has a key of the wrong type, or does not fit the manifest
 */
export function checkConfiguration(text: string, image: string, layers: number): readonly string[] {
  const diffIds = readDiffIds(text, layers);
  parseImageConfig(text, image);
  parseImageDetails(text, image);
  return diffIds;
}
