/** Fetches the current image of a stored name (compatibility M-60). */
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { findTagSource, type SourceOptions, type StoredImage } from '../../image/image.ts';
import { formatProposal, proposeImages } from '../../image/propose-images.ts';
import { findPin, type ImageReference, tryParseReference } from '../../image/reference.ts';
import { parseStoredName } from '../../image/source-name.ts';
import { findByReference, findStoredImage, listStoredNames } from '../find-image.ts';
import { pullImage } from './pull.ts';

interface UpdatedImage {
  readonly reference: string;
  /** Ids before and after the update. */
  readonly before: string;
  readonly after: string;
}

/** Result for one image of an update of all images. */
export type ImageUpdateOutcome =
  | ({ readonly kind: 'updated' } & UpdatedImage)
  | { readonly kind: 'failed'; readonly reference: string; readonly before: string };

/**
 * Pulls a stored image again, from its source and under its name.
 *
 * @param written name of the image; an id is not accepted
 * @throws AtomicError IMAGE_NOT_FOUND; as `pullImage`
 */
export async function updateImage(
  host: Host,
  written: string,
  options: SourceOptions,
): Promise<UpdatedImage> {
  const name = parseStoredName(written);
  const image = findByReference(host, name);
  if (image === undefined) throw buildUnknown(host, written);
  const source = findSource(image, name) ?? written;
  const { image: after } = await pullImage(host, source, options, image.reference);
  return { reference: image.reference, before: image.id, after: after.id };
}

/**
 * Updates all images whose names have a registry, one after another. Others are skipped with a warning. A failure does not
 * stop the update of the next image.
 *
 * @throws AtomicError INTERRUPTED
 */
export async function updateAllImages(
  host: Host,
  options: SourceOptions,
): Promise<readonly ImageUpdateOutcome[]> {
  const outcomes: ImageUpdateOutcome[] = [];
  for (const reference of listStoredNames(host.locations.repository)) {
    if (tryParseReference(reference)?.registry === undefined) {
      host.report({ kind: 'warning', text: `Image ${reference} not fully qualified: skipping` });
      continue;
    }
    host.report({ kind: 'notice', text: `Checking image ${reference}...` });
    outcomes.push(await tryUpdate(host, reference, options));
  }
  return outcomes;
}

async function tryUpdate(host: Host, reference: string, options: SourceOptions): Promise<ImageUpdateOutcome> {
  let before = '';
  try {
    before = findStoredImage(host, reference)?.id ?? '';
    return { kind: 'updated', ...(await updateImage(host, reference, options)) };
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
    host.report({ kind: 'warning', text: error.message });
    return { kind: 'failed', reference, before };
  }
}

/**
 * @returns the recorded source; `undefined` when the name is the source. Images of the original tool or of an older
 * version have no record
 */
function findSource(image: StoredImage, name: ImageReference): string | undefined {
  const source = findPin(name) === undefined ? findTagSource(image) : image.source;
  if (source === undefined || source === `docker://${image.reference}`) return undefined;
  return name.isInsecure ? source.replace(/^docker:\/\//, 'http:') : source;
}

function buildUnknown(host: Host, written: string): AtomicError {
  const similar = proposeImages(written, listStoredNames(host.locations.repository));
  return new AtomicError('IMAGE_NOT_FOUND', `${toPrintable(written)} not found locally.  Unable to update`, {
    hint: formatProposal(similar) ?? 'Fetch it with atomic pull; atomic images list shows the stored images',
    details: { image: written, similar },
  });
}
