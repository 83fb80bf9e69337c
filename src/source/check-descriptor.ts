/**
 * Compares the manifest of a layout with its digest in the index: skopeo reads the file that has the digest as its name, and
 * does not check it.
 */
import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import type { ManifestDescriptor } from '../image/image-location.ts';
import type { ImageSource } from './image-source.ts';
import { readRawManifest } from './skopeo/skopeo.ts';
import type { SkopeoOptions } from './skopeo/source-flags.ts';

const ALGORITHMS = ['sha256', 'sha384', 'sha512'] as const;

/**
 * Makes sure that an open image is the one that the index names. Closes it otherwise.
 *
 * @throws AtomicError DIGEST_MISMATCH
 */
export async function requireDescribed(
  host: Host,
  opened: ImageSource,
  described: ManifestDescriptor,
  options: SkopeoOptions,
): Promise<void> {
  if (isDescribed(opened.manifest, described)) return;
  try {
    // The index may name a list of images. skopeo has compared the manifest with that list.
    if (isDescribed(await readRawManifest(host, opened.location, options), described)) return;
  } catch (error) {
    await opened.close();
    throw error;
  }
  await opened.close();
  const { digest, size } = described;
  const sizeText = size === undefined ? '' : ` of ${size} bytes`;
  throw new AtomicError(
    'DIGEST_MISMATCH',
    `reading the manifest: it is not ${toPrintable(digest, 160)}${sizeText}, as index.json says`,
    { hint: 'The file or folder was changed or damaged: copy it again. Nothing was stored.' },
  );
}

function isDescribed(manifest: Buffer, { digest, size }: ManifestDescriptor): boolean {
  const [algorithm = '', hex] = digest.split(':');
  if (size !== undefined && size !== manifest.length) return false;
  const known = ALGORITHMS.find((name) => name === algorithm);
  return known !== undefined && Bun.CryptoHasher.hash(known, manifest, 'hex') === hex;
}
