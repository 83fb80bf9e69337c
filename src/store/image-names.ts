/** Lists and selects names of images, including damaged ones, so that these can be deleted. */

import { compareUtf8 } from '../base/compare-utf8.ts';
import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import type { Digest } from '../image/digest.ts';
import { hasDigest } from '../image/image.ts';
import { parseRefName, REF_FOLDER } from '../image/ref-name.ts';
import { findPin, formatReference } from '../image/reference.ts';
import { parseStoredName } from '../image/source-name.ts';
import { findRef, listRefNames, readCommit } from '../ostree/object-files.ts';
import { readThroughRef } from '../ostree/read-through-ref.ts';
import { isDamage, tolerateDamage } from '../ostree/tolerate-damage.ts';
import { buildAmbiguous, buildImageNotFound, parseIdPrefix } from './find-image.ts';
import { describeImage } from './image-commit.ts';

export interface ImageName {
  readonly reference: string;
  /** Checksum of the commit that the ref names; `undefined` when the ref is damaged. */
  readonly commit: Checksum | undefined;
  /** Hex of the manifest digest; `undefined` when the commit is damaged. */
  readonly id: string | undefined;
  /** See `StoredImage`. */
  readonly source: string | undefined;
}

/** Lists the names of all images, sorted. Damage is no error: the damaged parts are `undefined`. */
export function listImageNames(host: Host): readonly ImageName[] {
  const { repository } = host.locations;
  return listRefNames(repository)
    .map((name) => ({ name, parsed: parseRefName(name) }))
    .flatMap(({ name, parsed }) =>
      parsed.kind === 'image' ? readName(repository, parsed.reference, `${REF_FOLDER}/${name}`) : [],
    )
    .sort((a, b) => compareUtf8(a.reference, b.reference));
}

/**
 * Selects the images that the user has named, as `readImages` does: one by its name, otherwise all names of the only image
 * whose id begins with `written`.
 *
 * @param names all names of images
 * @throws AtomicError IMAGE_NOT_FOUND; BAD_REFERENCE when several images have such an id, or `written` is neither a name nor
 * an id
 */
export function selectImageNames(names: readonly ImageName[], written: string): readonly ImageName[] {
  // The original tool stored names that cannot be pulled, so the exact text is compared first.
  const exact = names.find(({ reference }) => reference === written);
  if (exact !== undefined) return [exact];
  const wanted = parseStoredName(written);
  const pin = findPin(wanted);
  const named = names.find(
    (name) => name.reference === formatReference(wanted) && (pin === undefined || isImage(name, pin)),
  );
  if (named !== undefined) return [named];
  const prefix = parseIdPrefix(written);
  const found = prefix === undefined ? [] : names.filter(({ id }) => id?.startsWith(prefix));
  const ids = new Set(found.map(({ id }) => id));
  if (ids.size > 1)
    throw buildAmbiguous(
      written,
      found.map(({ id = '', reference }) => ({ id, reference })),
    );
  if (found.length > 0) return found;
  throw buildImageNotFound(
    written,
    names.map(({ reference }) => reference),
  );
}

function isImage({ id, source }: ImageName, digest: Digest): boolean {
  return id !== undefined && hasDigest({ id, source }, digest);
}

function readName(repository: string, reference: string, ref: string): ImageName[] {
  try {
    const image = readThroughRef(repository, ref, (commit) =>
      describeImage(reference, commit, readCommit(repository, commit)),
    );
    return image === undefined
      ? []
      : [{ reference, commit: image.commit, id: image.id, source: image.source }];
  } catch (error) {
    if (!isDamage(error)) throw error;
    return [
      { reference, commit: tolerateDamage(() => findRef(repository, ref)), id: undefined, source: undefined },
    ];
  }
}
