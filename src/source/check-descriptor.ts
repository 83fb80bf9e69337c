/**
 * Checks the manifest of a layout against the index that names it: skopeo takes it from the file whose name is the
 * digest, and looks only at what is below it.
 */
import { createHash } from 'node:crypto';
import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import type { ManifestDescriptor } from '../image/image-location.ts';
import type { ImageSource } from './image-source.ts';
import { readRawManifest } from './skopeo/skopeo.ts';
import type { SkopeoOptions } from './skopeo/source-flags.ts';

const ALGORITHMS = ['sha256', 'sha384', 'sha512'];

/**
 * Makes sure that an open image is the one that the index means, and closes it when it is not.
 *
 * @param source of the image, as skopeo reads it
 * @throws AtomicError DIGEST_MISMATCH
 */
export async function requireDescribed(
  host: Host,
  source: string,
  opened: ImageSource,
  described: ManifestDescriptor,
  options: SkopeoOptions,
): Promise<void> {
  if (isDescribed(opened.manifest, described)) return;
  try {
    // Of a list, whose manifests skopeo has compared with it, the index names the list.
    if (isDescribed(await readRawManifest(host, source, options), described)) return;
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
  return ALGORITHMS.includes(algorithm) && createHash(algorithm).update(manifest).digest('hex') === hex;
}
