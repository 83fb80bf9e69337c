/**
 * Compares what an image needs with what the filesystem has, before anything of it is fetched. What is needed is a lower
 * bound: blobs are compressed, files in the repository already need nothing. libostree itself refuses what outgrows the
 * filesystem in the end.
 */
import { statfs } from 'node:fs/promises';
import type { Host } from '../host/host.ts';
import type { BlobDescriptor } from '../image/manifest.ts';
import type { Pointer } from '../native/glib.ts';
import { type AvailableSpace, checkSpace } from '../ostree/space.ts';
import { withStoreErrors } from '../ostree/store-error.ts';
import { findRecordedLayer } from './layer-ledger.ts';

/** Its commit, one directory and its ref. Owner and mode of directories are shared with other layers. */
const INODES_OF_LAYER = 3;
/** Its commit and ref, and the configuration's commit, ref, directory and content. */
const INODES_OF_IMAGE = 6;

/**
 * The layers that must be fetched, each once, base first. One that an interrupted pull has recorded counts as there;
 * should it prove to be damaged, it is fetched all the same.
 *
 * @param known digests of the layers that are there
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
 * @param copied layers of which a copy will lie beside the repository meanwhile
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

/** @throws AtomicError STORE_FAILED when the filesystem cannot be looked at */
export async function readAvailableSpace(host: Host, repo: Pointer): Promise<AvailableSpace> {
  const path = host.locations.repository;
  return withStoreErrors(`looking at the filesystem of ${path}`, async () => {
    const { readMinFreeSpace } = await import('../native/ostree-inventory.ts');
    const { bsize, bfree, bavail, files, ffree } = await statfs(path);
    const reserved = readMinFreeSpace(repo);
    // As libostree counts: blocks that the filesystem keeps for root are free for root.
    const free = (host.uid === 0 ? bfree : bavail) * bsize;
    return {
      path,
      bytes: Math.max(0, free - reserved),
      reserved,
      // btrfs and others have no inodes of a fixed number, and say 0 of 0.
      inodes: files === 0 ? undefined : ffree,
    };
  });
}
