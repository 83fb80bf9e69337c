/** Fetches layers and configurations into the scratch repository of a repair, and moves missing objects to the store. */
import type { BlobDescriptor } from '../../image/manifest.ts';
import { formatBlobRef } from '../../image/ref-name.ts';
import type { ObjectKind } from '../../image/verified-image.ts';
import { findRef, formatObjectPath, readCommit, readDirTree } from '../../ostree/object-files.ts';
import { withRepository } from '../../ostree/repository.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { withTransaction } from '../../ostree/transaction.ts';
import { writeRef } from '../../ostree/write-refs.ts';
import { BlobQueue } from '../pull/blob-queue.ts';
import { ensureLayer, type LayerSource } from '../pull/fetch-layer.ts';
import { findStoredLayer } from '../stored-layer.ts';
import { formatObjectKey } from './object-verifier.ts';
import { placeLink } from './place-object.ts';
import type { Repair } from './repair.ts';

/**
 * Fetches layers again, and replaces their damaged or missing objects in the store.
 *
 * @returns the number of replaced objects
 * @throws errors of the source; as `ensureLayer`. The store is then as before
 */
export async function refetchLayers(
  repair: Repair,
  from: LayerSource,
  layers: readonly BlobDescriptor[],
): Promise<number> {
  const { host } = repair.scratch;
  await withRepository(host, async (repo) => {
    using blobs = new BlobQueue(from.source, layers);
    const queued = { ...from, blobs };
    await withTransaction(host, repo, 'storing layers', async (transaction) => {
      for (const layer of layers) {
        await ensureLayer(host, transaction, queued, {
          layer,
          diffId: findDiffId(repair, layer),
          known: new Map(),
        });
      }
    });
  });
  let placed = 0;
  for (const { digest } of layers) placed += await adoptBlob(repair, digest);
  return placed;
}

/** @returns digest of the inflated layer; `undefined` when the layer's commit cannot be read */
function findDiffId({ host }: Repair, layer: BlobDescriptor): string | undefined {
  return tolerateDamage(() => findStoredLayer(host.locations.repository, layer))?.uncompressedDigest;
}

/** As `refetchLayers`, for the configuration. */
export async function refetchConfig(
  repair: Repair,
  { source }: LayerSource,
  config: BlobDescriptor,
): Promise<number> {
  const content = await source.proxy.readBlob(source.image, config.digest, config.size);
  await withRepository(repair.scratch.host, async (repo) => {
    const { writeConfigCommit } = await import('../write-commit.ts');
    await withTransaction(repair.scratch.host, repo, 'storing the configuration', (transaction) => {
      writeConfigCommit(transaction, config, content);
    });
  });
  return adoptBlob(repair, config.digest);
}

/** The ref goes last, so that it never names something incomplete. */
async function adoptBlob(repair: Repair, digest: string): Promise<number> {
  const scratch = repair.scratch.host.locations.repository;
  const ref = formatBlobRef(digest);
  const fetched = findRef(scratch, ref);
  if (fetched === undefined) throw new Error(`the scratch has no ${ref}`);
  let placed = 0;
  const seen = new Set<string>();
  const adopt = async (kind: ObjectKind, checksum: string): Promise<void> => {
    seen.add(formatObjectKey(kind, checksum));
    if ((await repair.verifier.check(kind, checksum)).state === 'sound') return;
    await placeLink(repair, kind, checksum, formatObjectPath(scratch, checksum, kind));
    placed += 1;
  };
  const visit = async (dirtree: string, dirmeta: string): Promise<void> => {
    await adopt('dirmeta', dirmeta);
    if (seen.has(formatObjectKey('dirtree', dirtree))) return;
    const { files, directories } = readDirTree(scratch, dirtree);
    for (const { checksum } of files) await adopt('file', checksum);
    for (const child of directories) await visit(child.dirtree, child.dirmeta);
    await adopt('dirtree', dirtree);
  };
  const { dirtree, dirmeta } = readCommit(scratch, fetched);
  await visit(dirtree, dirmeta);
  const current = tolerateDamage(() => findRef(repair.host.locations.repository, ref));
  if (current !== undefined && (await repair.verifier.check('commit', current)).state === 'sound')
    return placed;
  if (current !== undefined) repair.discarded.add(current);
  await adopt('commit', fetched);
  await writeRef(repair.host, ref, fetched);
  return placed + 1;
}
