/** Fetches layers and configurations into the scratch repository of a repair, and moves missing objects to the store. */

import type { Checksum } from '../../image/checksum.ts';
import type { Digest } from '../../image/digest.ts';
import type { BlobDescriptor } from '../../image/manifest.ts';
import { formatBlobRef } from '../../image/ref-name.ts';
import type { ObjectKind } from '../../image/verified-image.ts';
import { findRef, formatObjectPath, readCommit, readDirTree } from '../../ostree/object-files.ts';
import { withRepository } from '../../ostree/repository.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { withTransaction } from '../../ostree/transaction.ts';
import { writeRef } from '../../ostree/write-refs.ts';
import { FileWorker } from '../layer/file-worker.ts';
import { WriteBack } from '../layer/write-back.ts';
import { BlobQueue } from '../pull/blob-queue.ts';
import { ensureLayer, type LayerSource } from '../pull/fetch-layer.ts';
import { findStoredLayer } from '../stored-layer.ts';
import { placeLink } from './place-object.ts';
import type { Repair, Replacement } from './repair.ts';

/**
 * Fetches layers again, and replaces their damaged or missing objects in the store.
 *
 * @throws errors of the source; as `ensureLayer`. The store is then as before
 */
export async function* refetchLayers(
  repair: Repair,
  from: LayerSource,
  layers: readonly BlobDescriptor[],
): AsyncGenerator<Replacement> {
  const { host } = repair.scratch;
  await withRepository(host, async (repo) => {
    using files = new FileWorker();
    using blobs = new BlobQueue(from.source, layers);
    const queued = { ...from, blobs, files, writeBack: new WriteBack(host.locations.repository) };
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
  for (const { digest } of layers) yield* adoptBlob(repair, digest);
}

/** @returns digest of the inflated layer; `undefined` when the layer's commit cannot be read */
function findDiffId({ host }: Repair, layer: BlobDescriptor): Digest | undefined {
  return tolerateDamage(() => findStoredLayer(host.locations.repository, layer))?.uncompressedDigest;
}

/** As `refetchLayers`, for the configuration. */
export async function* refetchConfig(
  repair: Repair,
  { source }: LayerSource,
  config: BlobDescriptor,
): AsyncGenerator<Replacement> {
  const content = await source.proxy.readBlob(source.image, config.digest, config.size);
  await withRepository(repair.scratch.host, async (repo) => {
    const { writeConfigCommit } = await import('../write-commit.ts');
    await withTransaction(repair.scratch.host, repo, 'storing the configuration', (transaction) => {
      writeConfigCommit(transaction, config, content);
    });
  });
  yield* adoptBlob(repair, config.digest);
}

/** The ref is moved last, so that it never names an incomplete tree. */
async function* adoptBlob(repair: Repair, digest: Digest): AsyncGenerator<Replacement> {
  const scratch = repair.scratch.host.locations.repository;
  const ref = formatBlobRef(digest);
  const fetched = findRef(scratch, ref);
  if (fetched === undefined) throw new Error(`the scratch has no ${ref}`);
  for (const { kind, checksum } of listObjects(scratch, fetched)) yield* adopt(repair, kind, checksum);
  const current = tolerateDamage(() => findRef(repair.host.locations.repository, ref));
  if (current !== undefined && (await repair.verifier.check('commit', current)).state === 'sound') return;
  yield* adopt(repair, 'commit', fetched);
  await writeRef(repair.host, ref, fetched);
  yield current === undefined ? {} : { discarded: current };
}

async function* adopt(repair: Repair, kind: ObjectKind, checksum: Checksum): AsyncGenerator<Replacement> {
  if ((await repair.verifier.check(kind, checksum)).state === 'sound') return;
  const source = formatObjectPath(repair.scratch.host.locations.repository, checksum, kind);
  yield await placeLink(repair, kind, checksum, source);
}

interface ObjectName {
  readonly kind: ObjectKind;
  readonly checksum: Checksum;
}

/** Lists the objects of a commit's tree; a directory follows its files and directories. */
function* listObjects(repository: string, commit: Checksum): Generator<ObjectName> {
  const seen = new Set<string>();
  function* visit(dirtree: Checksum, dirmeta: Checksum): Generator<ObjectName> {
    yield { kind: 'dirmeta', checksum: dirmeta };
    if (seen.has(dirtree)) return;
    seen.add(dirtree);
    const { files, directories } = readDirTree(repository, dirtree);
    for (const { checksum } of files) yield { kind: 'file', checksum };
    for (const child of directories) yield* visit(child.dirtree, child.dirmeta);
    yield { kind: 'dirtree', checksum: dirtree };
  }
  const { dirtree, dirmeta } = readCommit(repository, commit);
  yield* visit(dirtree, dirmeta);
}
