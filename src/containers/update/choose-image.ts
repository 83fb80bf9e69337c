/** Chooses the image of an update. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { SourceOptions, StoredImage } from '../../image/image.ts';
import { dropRegistryPrefix, parseSourceName } from '../../image/source-name.ts';
import { findByReference, findStoredImage } from '../../store/find-image.ts';
import { mergeNamedImage } from '../../store/merge-image.ts';
import { nameSource, pullNamedImage } from '../../store/pull/pull.ts';
import type { CurrentContainer } from './read-current.ts';
import type { UpdateRequest } from './update-request.ts';

/** An image of the store, and its name as `info` records it. */
export interface ChosenImage {
  readonly image: StoredImage;
  readonly imageName: string;
}

/** Finds the image for the current or the new name of the container: the stored image, unless a pull is requested. */
export async function chooseImage(
  host: Host,
  { name, record }: CurrentContainer,
  { rebase, pulls }: UpdateRequest,
  source: SourceOptions,
): Promise<ChosenImage> {
  const written = rebase ?? record.image;
  const named = await nameSource(host, { written, source: parseSourceName(written) });
  const isRegistry = named.location.kind === 'registry';
  const imageName = isRegistry ? dropRegistryPrefix(written) : named.reference.replace(/:latest$/, '');
  const found = findByReference(host, named.name);
  // A source that is a file is read again only when the person names it.
  const isPulled =
    found === undefined ? rebase !== undefined || pulls : pulls && (isRegistry || rebase !== undefined);
  if (isPulled) return { image: (await pullNamedImage(host, named, source)).image, imageName };
  if (found === undefined) {
    throw new AtomicError('IMAGE_NOT_FOUND', `updating ${name}: Cannot find image ${named.reference}.`, {
      hint: `Fetch it: atomic containers update --pull ${name}`,
      details: { name, image: named.reference },
    });
  }
  await mergeNamedImage(host, named.reference);
  return { image: findStoredImage(host, named.reference) ?? found, imageName };
}
