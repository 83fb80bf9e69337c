/** Pulls an image: opens its source, and stores it. */
import { mkdirSync } from 'node:fs';
import { wrapError } from '../core/errors.ts';
import type { PulledImage, SourceOptions } from '../core/image.ts';
import { formatReference, parseReference } from '../core/reference.ts';
import type { Host } from '../host/host.ts';
import { openRegistryImage } from '../source/registry-source.ts';
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
      const source = await openRegistryImage(host, reference, () => makeScratch(host), sourceOptions);
      try {
        return await storeImage(host, storedAs ?? formatReference(reference), source);
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

/** On the filesystem of the store, where libostree collects what a crash leaves after a day. */
function makeScratch(host: Host): string {
  const scratch = `${host.locations.repository}/tmp`;
  mkdirSync(scratch, { recursive: true });
  return scratch;
}
