/**
 * Compares the space that an image needs with the free space, before anything is fetched. The need is a lower bound, because
 * blobs are compressed. libostree refuses a transaction that exceeds the free space.
 */
import { statfs } from 'node:fs/promises';
import type { Host } from '../host/host.ts';
import type { BlobDescriptor } from '../image/manifest.ts';
import type { Pointer } from '../native/glib.ts';
import { type AvailableSpace, checkSpace } from '../ostree/space.ts';
import { withStoreErrors } from '../ostree/store-error.ts';
import { findRecordedLayer } from './layer-ledger.ts';

/** Commit, one directory and ref of a layer. Layers share the objects for owner and mode of directories. */
const INODES_OF_LAYER = 3;
/** Commit and ref of an image, and commit, ref, directory and content of its configuration. */
const INODES_OF_IMAGE = 6;

/**
 * Lists the layers that must be fetched, each once, base first. A layer that an interrupted pull has recorded is not listed;
 * it is fetched nevertheless when it proves to be damaged.
 *
 * @param known digests of the stored layers
 */
export function listMissingLayers(
  host: Host,
  layers: readonly BlobDescriptor[],
  known: Pick<ReadonlySet<string>, 'has'>,
): BlobDescriptor[] {
  const { repository } = host.locations;
  const missing = layers.filter(
    ({ digest }) => !known.has(digest) && findRecordedLayer(repository, digest) === undefined,
  );
  return [...new Map(missing.map((layer) => [layer.digest, layer])).values()];
}

/**
 * @param missing layers that will be stored
 * @param copied layers that are also copied into a scratch folder
 * @throws AtomicError NO_SPACE
 */
export async function checkRoomForLayers(
  host: Host,
  repo: Pointer,
  missing: readonly BlobDescriptor[],
  copied: readonly BlobDescriptor[] = [],
): Promise<void> {
  const blobs = [...missing, ...copied];
  checkSpace(
    {
      bytes: blobs.reduce((sum, { size }) => sum + size, 0),
      inodes: INODES_OF_IMAGE + INODES_OF_LAYER * missing.length + copied.length,
    },
    await readAvailableSpace(host, repo),
  );
}

/** @throws AtomicError STORE_FAILED when the filesystem does not report its space */
export async function readAvailableSpace(host: Host, repo: Pointer): Promise<AvailableSpace> {
  const path = host.locations.repository;
  return withStoreErrors(`looking at the filesystem of ${path}`, async () => {
    const { readMinFreeSpace } = await import('../native/ostree-inventory.ts');
    const { bsize, bfree, bavail, files, ffree } = await statfs(path);
    const reserved = readMinFreeSpace(repo);
    // As libostree counts: root may use the blocks that are reserved for root.
    const free = (host.uid === 0 ? bfree : bavail) * bsize;
    return {
      path,
      bytes: Math.max(0, free - reserved),
      reserved,
      // btrfs and others have no fixed number of inodes and report 0 of 0.
      inodes: files === 0 ? undefined : ffree,
    };
  });
}
