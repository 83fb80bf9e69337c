/** Pulls an image: finds the source that the user has named, opens it, and stores the image. */

import { wrapError } from '../../base/errors.ts';
import { formatCount } from '../../base/format-count.ts';
import { buildRetryPauses } from '../../base/retry-pauses.ts';
import type { Host } from '../../host/host.ts';
import { retryTransient } from '../../host/retry.ts';
import type { PulledImage, SourceOptions } from '../../image/image.ts';
import { type ImageLocation, nameLocatedImage } from '../../image/image-location.ts';
import { formatImageRef } from '../../image/ref-name.ts';
import { formatReference, type ImageReference, parseNewName } from '../../image/reference.ts';
import { dropRegistryPrefix, parseSourceName, type SourceName } from '../../image/source-name.ts';
import { locateImage } from '../../source/locate-image.ts';
import { openImage } from '../../source/open-image.ts';
import { openRenewableSource } from '../../source/renewable-source.ts';
import { withImageLock } from '../access/image-lock.ts';
import { withSharedStore } from '../access/store-lock.ts';
import { findStoredManifest } from '../find-image.ts';
import { withScratch } from '../scratch.ts';
import { loadImporter, storeImage } from './store-image.ts';

/** An image that the user has named. Only files of this machine were read to find it. */
export interface RequestedImage {
  /** Name as the user wrote it. */
  readonly written: string;
  readonly location: ImageLocation;
  /** Name under which the image is or will be stored (compatibility I-01). */
  readonly name: ImageReference;
  /** The same name as the store has it, with tag or digest. */
  readonly reference: string;
}

/** The arguments of a pull. */
interface WrittenSource {
  readonly written: string;
  /** `written`, parsed. */
  readonly source: SourceName;
  /** Another name to store the image under. */
  readonly storedAs?: ImageReference;
}

/**
 * Finds the image that the user has named, and the name under which it is stored.
 *
 * @throws AtomicError BAD_REFERENCE; as `locateImage`
 */
export async function nameSource(
  host: Host,
  { written, source, storedAs }: WrittenSource,
): Promise<RequestedImage> {
  try {
    const location = await locateImage(host, source);
    const name = storedAs ?? nameLocatedImage(location);
    const reference = formatReference(name);
    // Refuses a name that is too long for a ref before anything is opened.
    formatImageRef(reference);
    return { written, location, name, reference };
  } catch (error) {
    throw wrapError(error, `pulling ${written}`);
  }
}

/**
 * Pulls an image.
 *
 * @param written name as for `atomic pull`
 * @param storedAs another name to store it under, with or without tag
 * @throws AtomicError as `nameSource`, `openImage` and `storeImage`; the stored image is then as before
 */
export async function pullImage(
  host: Host,
  written: string,
  options: SourceOptions,
  storedAs?: string,
): Promise<PulledImage> {
  const source = parseSourceName(written);
  const name = storedAs === undefined ? {} : { storedAs: parseNewName(storedAs) };
  return pullNamedImage(host, await nameSource(host, { written, source, ...name }), options);
}

function withSharedImage<T>(host: Host, reference: string, action: () => Promise<T>): Promise<T> {
  return withSharedStore(host, () => withImageLock(host, reference, reference, action));
}

/** @throws AtomicError as `openImage` and `storeImage`; the stored image is then as before */
export async function pullNamedImage(
  host: Host,
  { written, location, reference }: RequestedImage,
  options: SourceOptions,
): Promise<PulledImage> {
  const shown = location.kind === 'registry' ? dropRegistryPrefix(written) : written;
  host.report({ kind: 'pull-started', image: shown });
  try {
    const pulled = await withSharedImage(host, reference, () =>
      withScratch(host, async (scratch) => {
        const retryPauses = options.retryPauses ?? buildRetryPauses();
        host.report({ kind: 'step', text: `Opening ${shown}` });
        const opened = {
          ...options,
          // A stored image is probably up to date.
          ...(findStoredManifest(host, reference) === undefined
            ? { whileStarting: () => void loadImporter() }
            : {}),
          findManifest: () => findStoredManifest(host, reference),
        };
        const source = await retryTransient(host, `opening ${written}`, retryPauses, () =>
          openRenewableSource(() => openImage(host, location, scratch, opened)),
        );
        try {
          return await storeImage(host, reference, { source, retryPauses }, options.platform);
        } finally {
          await source.close();
        }
      }),
    );
    const { length } = pulled.fetched;
    // Ansible reads "Copying blob" as "something has changed" (compatibility A-01).
    if (length > 0) {
      host.report({ kind: 'notice', text: `Copying blobs: ${formatCount(length, 'layer')} fetched` });
    }
    reportStored(host, pulled);
    return pulled;
  } catch (error) {
    throw wrapError(error, `pulling ${written}`);
  }
}

function reportStored(host: Host, { image, fetched, bytesFetched, reused, isUpToDate }: PulledImage): void {
  const { reference, id } = image;
  const layers = fetched.length + new Set(reused).size;
  const transfer = { layers, fetched: fetched.length, bytes: bytesFetched };
  host.report({ kind: 'image-stored', reference, id, isUpToDate, ...transfer });
}
