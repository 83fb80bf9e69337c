/** Finds images by a name or by the beginning of an id. */
import { compareUtf8 } from '../base/compare-utf8.ts';
import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import { hasDigest, type StoredImage } from '../image/image.ts';
import { formatProposal, proposeImages } from '../image/propose-images.ts';
import { formatImageRef, parseRefName } from '../image/ref-name.ts';
import { findPin, formatReference, type ImageReference } from '../image/reference.ts';
import { parseStoredName } from '../image/source-name.ts';
import { listRefNames, readCommit } from '../ostree/object-files.ts';
import { readThroughRef } from '../ostree/read-through-ref.ts';
import { tolerateDamage } from '../ostree/tolerate-damage.ts';
import { describeImage, ImageKey } from './image-commit.ts';
import { listImages } from './list-images.ts';

const ID_PREFIX = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/**
 * @param written a possible beginning of an id, with or without `sha256:` before it
 * @returns its hex digits; `undefined` when it cannot be an id
 */
export function parseIdPrefix(written: string): string | undefined {
  return ID_PREFIX.exec(written)?.[1];
}

/** Finds the image that is stored under a name. With a tag and a digest it finds only an image that has both. */
export function findByReference(host: Host, wanted: ImageReference): StoredImage | undefined {
  const image = findStoredImage(host, formatReference(wanted));
  const pin = findPin(wanted);
  return image === undefined || pin === undefined || hasDigest(image, pin) ? image : undefined;
}

/**
 * Finds the images that the user has named: the image of that name, otherwise all names of the only image whose id begins
 * with `written` (compatibility I-07).
 *
 * @param written a name or hex digits
 * @returns at least one; all have the same id
 * @throws AtomicError IMAGE_NOT_FOUND; BAD_REFERENCE when several images have such an id, or `written` is neither a name nor
 * an id; STORE_CORRUPT
 */
export async function readImages(host: Host, written: string): Promise<readonly StoredImage[]> {
  const prefix = parseIdPrefix(written);
  const wanted = parseStoredName(written);
  const named = findByReference(host, wanted);
  if (named !== undefined) return [named];
  const found = prefix === undefined ? [] : await findById(host, prefix);
  if (new Set(found.map(({ id }) => id)).size > 1) throw buildAmbiguous(written, found);
  if (found.length === 0) {
    throw (
      buildOtherDigest(host, written, wanted) ??
      buildImageNotFound(written, listStoredNames(host.locations.repository))
    );
  }
  return found;
}

/** Builds the error for a name with tag and digest when the tag has another digest. */
function buildOtherDigest(host: Host, written: string, wanted: ImageReference): AtomicError | undefined {
  if (findPin(wanted) === undefined) return undefined;
  const other = findStoredImage(host, formatReference(wanted));
  if (other === undefined) return undefined;
  return new AtomicError(
    'IMAGE_NOT_FOUND',
    `Cannot find image ${toPrintable(written)}: ${other.reference} is stored with the digest sha256:${other.id}`,
    { hint: `Fetch this one: atomic pull ${written}`, details: { image: written } },
  );
}

/** The list is only a hint about the id; the commits decide. */
async function findById(host: Host, prefix: string): Promise<readonly StoredImage[]> {
  const listed = (await listImages(host)).filter(({ id }) => id.startsWith(prefix));
  return listed
    .flatMap(({ reference }) => findStoredImage(host, reference) ?? [])
    .filter(({ id }) => id.startsWith(prefix));
}

/**
 * Finds the image that is stored under exactly this name.
 *
 * @param reference name as the store has it, with tag or digest
 * @throws AtomicError STORE_CORRUPT
 */
export function findStoredImage(
  { locations: { repository } }: Host,
  reference: string,
): StoredImage | undefined {
  return readThroughRef(repository, formatImageRef(reference), (commit) =>
    describeImage(reference, commit, readCommit(repository, commit)),
  );
}

/**
 * Finds the recorded manifest of the image that is stored under exactly this name. Its bytes may not match the digest of the
 * image.
 */
export function findStoredManifest(
  { locations: { repository } }: Host,
  reference: string,
): Buffer | undefined {
  const text = tolerateDamage(() =>
    readThroughRef(repository, formatImageRef(reference), (commit) =>
      readCommit(repository, commit).metadata.get(ImageKey.manifest),
    ),
  );
  return text === undefined ? undefined : Buffer.from(text, 'utf8');
}

/** As `readImages`. @returns the first name of the image */
export async function readImage(host: Host, written: string): Promise<StoredImage> {
  const [image] = await readImages(host, written);
  if (image === undefined) throw new Error('readImages returned nothing');
  return image;
}

/** Builds the error for the beginning of several ids. */
export function buildAmbiguous(
  written: string,
  found: readonly { readonly id: string; readonly reference: string }[],
): AtomicError {
  return new AtomicError('BAD_REFERENCE', `more images matching prefix \`${written}\``, {
    hint: `Write more of the id: ${found.map(({ id, reference }) => `${id.slice(0, 12)} (${reference})`).join(', ')}.`,
  });
}

/**
 * Builds the error for an unknown name or id, in the words of the original tool (compatibility M-30).
 *
 * @param stored names of all images, see `listStoredNames`
 */
export function buildImageNotFound(written: string, stored: readonly string[]): AtomicError {
  const similar = proposeImages(written, stored);
  return new AtomicError('IMAGE_NOT_FOUND', `Cannot find image ${toPrintable(written)}.`, {
    hint: formatProposal(similar) ?? 'List the images: atomic images list',
    details: { image: written, similar },
  });
}

/** Lists the names of all images, including damaged ones, sorted. */
export function listStoredNames(repository: string): string[] {
  return listRefNames(repository)
    .map(parseRefName)
    .flatMap((name) => (name.kind === 'image' ? [name.reference] : []))
    .sort(compareUtf8);
}
