/** Pulls an image: opens its source, and stores it. */
import { wrapError } from '../core/errors.ts';
import type { PulledImage, SourceOptions } from '../core/image.ts';
import { parseManifest } from '../core/manifest.ts';
import { formatReference, parseReference } from '../core/reference.ts';
import { buildRetryPauses } from '../core/retry-pauses.ts';
import type { Host } from '../host/host.ts';
import { retryTransient } from '../host/retry.ts';
import { openRegistryImage } from '../source/registry-source.ts';
import { openRenewableSource } from '../source/renewable-source.ts';
import { checkRoomForLayers, listMissingLayers } from './preflight.ts';
import { withRepository } from './repository.ts';
import { storeImage } from './store-image.ts';
import { withSharedStore } from './store-lock.ts';

/**
 * @param name as the person wrote it; the image is stored under it (compatibility I-01)
 * @param storedAs another name to store it under, with tag or digest
 * @throws AtomicError BAD_REFERENCE, what `openRegistryImage` and `storeImage` throw; the image is then as it was before
 */
export async function pullImage(
  host: Host,
  name: string,
  options: SourceOptions,
  storedAs?: string,
): Promise<PulledImage> {
  const reference = parseReference(name);
  const sourceOptions = reference.isInsecure ? { ...options, tlsVerify: false } : options;
  host.report({ kind: 'pull-started', image: formatShort(name) });
  try {
    return await withSharedStore(host, async () => {
      const open = () =>
        openRegistryImage(host, reference, (copied) => makeScratch(host, copied), sourceOptions);
      const retryPauses = options.retryPauses ?? buildRetryPauses();
      const source = await retryTransient(host, `opening ${name}`, retryPauses, () =>
        openRenewableSource(open),
      );
      try {
        return await storeImage(host, storedAs ?? formatReference(reference), { source, retryPauses });
      } finally {
        await source.close();
      }
    });
  } catch (error) {
    throw wrapError(error, `pulling ${name}`);
  }
}

function formatShort(name: string): string {
  return name.replace(/^(?:http|https|oci):(?:\/\/)?/, '');
}

/**
 * On the filesystem of the store, where libostree collects what a crash leaves after a day.
 *
 * @param manifest of the image that will be copied there
 * @throws AtomicError NO_SPACE when the copy and the layers that are missing in the store do not fit
 */
async function makeScratch(host: Host, manifest: Buffer): Promise<string> {
  const image = parseManifest(manifest.toString('utf8'));
  await withRepository(host, (repo) =>
    checkRoomForLayers(host, repo, listMissingLayers(host, image), image.layers),
  );
  return `${host.locations.repository}/tmp`;
}
