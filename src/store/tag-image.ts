import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import type { StoredImage } from '../image/image.ts';
import { formatImageRef } from '../image/ref-name.ts';
import { formatReference, parseReference } from '../image/reference.ts';
import { writeImageName } from '../ostree/write-refs.ts';
import { withSharedStore } from './access/store-lock.ts';
import { readImage } from './find-image.ts';
import { type ImageName, listImageNames } from './image-names.ts';

interface TaggedImage {
  /** The image under its new name. */
  readonly image: StoredImage;
  /** The image that had the name before. */
  readonly replaced: ImageName | undefined;
}

/**
 * Gives an image another name: a ref to the same commit. A name that another image has is moved (compatibility M-30).
 *
 * @param written name or beginning of an id
 * @param target new name, without a digest: only a pull can make a name with a digest
 * @throws AtomicError IMAGE_NOT_FOUND, BAD_REFERENCE, STORE_CORRUPT, NO_SPACE, READ_ONLY, STORE_FAILED
 */
export async function tagImage(host: Host, written: string, target: string): Promise<TaggedImage> {
  const parsed = parseReference(target);
  if (parsed.digest !== undefined) {
    throw new AtomicError(
      'BAD_REFERENCE',
      `tagging ${toPrintable(target)}: a name with a digest can only come from a pull`,
      { hint: `Choose a tag: ${parsed.repository}:NAME` },
    );
  }
  const reference = formatReference(parsed);
  formatImageRef(reference);
  return withSharedStore(host, async () => {
    const source = await readImage(host, written);
    const replaced = listImageNames(host).find((name) => name.reference === reference);
    await writeImageName(host, reference, source.commit);
    const { repository, tag } = parsed;
    return { image: { ...source, reference, repository, tag }, replaced };
  });
}
