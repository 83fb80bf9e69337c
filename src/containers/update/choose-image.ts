/** Chooses the image of an update. */
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { isChecksum } from '../../image/checksum.ts';
import { findTagSource, type SourceOptions, type StoredImage } from '../../image/image.ts';
import { dropRegistryPrefix, parseSourceName } from '../../image/source-name.ts';
import { findByReference, findStoredImage } from '../../store/find-image.ts';
import { mergeNamedImage } from '../../store/merge-image.ts';
import { nameSource, pullImage, pullNamedImage, type RequestedImage } from '../../store/pull/pull.ts';
import { updateImage } from '../../store/pull/update-image.ts';
import { buildUnnamedTarget } from '../../store/verify/verify-targets.ts';
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
  current: CurrentContainer,
  { rebase, pulls }: UpdateRequest,
  source: SourceOptions,
): Promise<ChosenImage> {
  const written = rebase ?? current.record.image;
  const named = await nameSource(host, { written, source: parseSourceName(written) });
  const isRegistry = named.location.kind === 'registry';
  const imageName = isRegistry ? dropRegistryPrefix(written) : named.reference.replace(/:latest$/, '');
  if (rebase !== undefined) {
    const isStored = findByReference(host, named.name) !== undefined;
    if (pulls || !isStored) return { image: (await pullNamedImage(host, named, source)).image, imageName };
  } else if (pulls) await pullAgain(host, current, named, source);
  return { image: await readStored(host, current, named), imageName };
}

/**
 * Fetches the image of the container from the source that it came from. Its name alone may lead elsewhere: the name of an
 * image from a file may be that of another image in a registry. A file is read again only when a person names it.
 */
async function pullAgain(
  host: Host,
  { name, record }: CurrentContainer,
  { name: reference, reference: storedAs }: RequestedImage,
  options: SourceOptions,
): Promise<void> {
  const stored = findByReference(host, reference);
  const commit = isChecksum(record.ostreeCommit) ? record.ostreeCommit : undefined;
  const facts = stored ?? buildUnnamedTarget(host, storedAs, commit).image;
  const origin = facts === undefined ? undefined : findTagSource(facts);
  if (origin !== undefined && /^(?:oci|oci-archive|docker-archive|dir):/.test(origin)) {
    const text = `${name}: its image came from ${toPrintable(origin)}, which only --rebase reads again`;
    host.report({ kind: 'remark', text });
  } else if (stored !== undefined) await updateImage(host, record.image, options);
  else await pullImage(host, origin ?? record.image, options, origin === undefined ? undefined : storedAs);
}

async function readStored(
  host: Host,
  { name }: CurrentContainer,
  { reference, name: parsed }: RequestedImage,
): Promise<StoredImage> {
  const found = findByReference(host, parsed);
  if (found === undefined) {
    throw new AtomicError('IMAGE_NOT_FOUND', `updating ${name}: Cannot find image ${reference}.`, {
      hint: `Fetch it: atomic containers update --pull ${name}; an image from a file with --rebase SOURCE`,
      details: { name, image: reference },
    });
  }
  await mergeNamedImage(host, reference);
  return findStoredImage(host, reference) ?? found;
}
