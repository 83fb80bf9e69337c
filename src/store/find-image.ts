/** Finds images by what a person types: a name, or the beginning of an id. */
import { compareUtf8 } from '../base/compare-utf8.ts';
import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import { hasDigest, type StoredImage } from '../image/image.ts';
import { formatProposal, proposeImages } from '../image/propose-images.ts';
import { formatImageRef, parseRefName } from '../image/ref-name.ts';
import { findPin, formatReference } from '../image/reference.ts';
import { parseStoredName } from '../image/source-name.ts';
import { listRefNames, readCommit } from '../ostree/object-files.ts';
import { readThroughRef } from '../ostree/read-through-ref.ts';
import { describeImage } from './image-commit.ts';
import { listImages } from './list-images.ts';

const ID_PREFIX = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/**
 * @param written what may be the beginning of an id, also as a digest: `sha256:` before it
 * @returns its hex digits; `undefined` when it can be none
 */
export function parseIdPrefix(written: string): string | undefined {
  return ID_PREFIX.exec(written)?.[1];
}

/**
 * Finds the image that is stored under a name; with a tag and a digest only the image that has both.
 *
 * @param name as a person writes it, also with the prefix of a source; without tag or digest it means `latest`
 * @throws AtomicError BAD_REFERENCE, STORE_CORRUPT
 */
export async function findImage(host: Host, name: string): Promise<StoredImage | undefined> {
  const wanted = parseStoredName(name);
  const image = readNamed(host, formatReference(wanted));
  const pin = findPin(wanted);
  return image === undefined || pin === undefined || hasDigest(image, pin) ? image : undefined;
}

/**
 * Finds the images that a person means: the one of that name, else all names of the one image whose id begins so
 * (compatibility I-07).
 *
 * @param written a name or hex digits
 * @returns at least one; all have the same id
 * @throws AtomicError IMAGE_NOT_FOUND; BAD_REFERENCE when several images have such an id, or it is neither; STORE_CORRUPT
 */
export async function readImages(host: Host, written: string): Promise<readonly StoredImage[]> {
  const prefix = parseIdPrefix(written);
  const named = await findImage(host, written);
  if (named !== undefined) return [named];
  const found = prefix === undefined ? [] : await findById(host, prefix);
  if (new Set(found.map(({ id }) => id)).size > 1) throw buildAmbiguous(written, found);
  if (found.length === 0) {
    throw (
      buildOtherDigest(host, written) ?? buildNotFound(written, listStoredNames(host.locations.repository))
    );
  }
  return found;
}

/** The error of a name with tag and digest, under whose tag another image is stored. */
function buildOtherDigest(host: Host, written: string): AtomicError | undefined {
  const wanted = parseStoredName(written);
  if (findPin(wanted) === undefined) return undefined;
  const other = readNamed(host, formatReference(wanted));
  if (other === undefined) return undefined;
  return new AtomicError(
    'IMAGE_NOT_FOUND',
    `Cannot find image ${toPrintable(written)}: ${other.reference} is stored with the digest sha256:${other.id}`,
    { hint: `Fetch this one: atomic pull ${written}`, details: { image: written } },
  );
}

/** The list says where to look, the commits what is there. */
async function findById(host: Host, prefix: string): Promise<readonly StoredImage[]> {
  const listed = (await listImages(host)).filter(({ id }) => id.startsWith(prefix));
  return listed
    .flatMap(({ reference }) => readNamed(host, reference) ?? [])
    .filter(({ id }) => id.startsWith(prefix));
}

function readNamed({ locations: { repository } }: Host, reference: string): StoredImage | undefined {
  return readThroughRef(repository, formatImageRef(reference), (commit) =>
    describeImage(reference, commit, readCommit(repository, commit)),
  );
}

/** As `readImages`; of several names of one image the first. */
export async function readImage(host: Host, written: string): Promise<StoredImage> {
  const [image] = await readImages(host, written);
  if (image === undefined) throw new Error('readImages returned nothing');
  return image;
}

/** The error of an id that several images have. */
export function buildAmbiguous(
  written: string,
  found: readonly { readonly id: string; readonly reference: string }[],
): AtomicError {
  return new AtomicError('BAD_REFERENCE', `more images matching prefix \`${written}\``, {
    hint: `Write more of the id: ${found.map(({ id, reference }) => `${id.slice(0, 12)} (${reference})`).join(', ')}.`,
  });
}

/**
 * The error of a name or id that no image has, in the words of the original (compatibility M-30).
 *
 * @param stored names of all images, see `listStoredNames`
 */
export function buildNotFound(written: string, stored: readonly string[]): AtomicError {
  const similar = proposeImages(written, stored);
  return new AtomicError('IMAGE_NOT_FOUND', `Cannot find image ${toPrintable(written)}.`, {
    hint: formatProposal(similar) ?? 'List what is there: atomic images list',
    details: { image: written, similar },
  });
}

/** Names of all images, also of damaged ones, sorted. */
export function listStoredNames(repository: string): string[] {
  return listRefNames(repository)
    .map(parseRefName)
    .flatMap((name) => (name.kind === 'image' ? [name.reference] : []))
    .sort(compareUtf8);
}
