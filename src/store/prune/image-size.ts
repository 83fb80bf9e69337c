/**
 * Measures an image as the sum of the lengths of its objects, each once, as prune does. The space on the disk may be larger,
 * because of blocks, or smaller, because of compression.
 */
import { lstatSync } from 'node:fs';
import { tolerateMissing } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import type { ListedImage, StoredImage } from '../../image/image.ts';
import type { ImageSize } from '../../image/image-description.ts';
import { findRef, formatObjectPath } from '../../ostree/object-files.ts';
import { addReachable, createObjectSet, type ObjectSet } from '../../ostree/reachable-objects.ts';
import { listImages } from '../list-images.ts';
import { listBlobRefs } from './needed-commits.ts';

/**
 * Measures an image. Its other names do not count as other images.
 *
 * @throws AtomicError STORE_CORRUPT, INTERRUPTED
 */
export async function measureImage(host: Host, image: StoredImage): Promise<ImageSize> {
  const { repository } = host.locations;
  const all = await listImages(host);
  const ofImage = await collect(
    host,
    all.filter(({ id }) => id === image.id),
  );
  host.report({ kind: 'step', text: 'Comparing with the other images' });
  const ofOthers = await collect(
    host,
    all.filter(({ id }) => id !== image.id),
  );
  let whole = 0;
  let shared = 0;
  for (const kind of ['commit', 'dirtree', 'dirmeta', 'file'] as const) {
    for (const checksum of ofImage[kind]) {
      const size = readSize(formatObjectPath(repository, checksum, kind));
      whole += size;
      if (ofOthers[kind].has(checksum)) shared += size;
    }
  }
  return { whole, shared, own: whole - shared };
}

async function collect(host: Host, images: readonly ListedImage[]): Promise<ObjectSet> {
  const { repository } = host.locations;
  const reached = createObjectSet();
  for (const { commit } of images) {
    addReachable(repository, commit, reached);
    for (const ref of listBlobRefs(repository, commit)) {
      const blob = findRef(repository, ref);
      if (blob !== undefined) addReachable(repository, blob, reached);
    }
    await new Promise((resolve) => setImmediate(resolve));
    throwIfInterrupted(host);
  }
  return reached;
}

/** A missing object counts as 0 bytes; `images verify` reports it. */
function readSize(path: string): number {
  return tolerateMissing(() => lstatSync(path).size) ?? 0;
}
