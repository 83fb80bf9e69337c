/** Stores one layer of an image: finds it in the repository, or fetches it from the source into the open transaction. */

import { AtomicError, wrapError } from '../../base/errors.ts';
import { formatCount } from '../../base/format-count.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { retryTransient } from '../../host/retry.ts';
import type { Checksum } from '../../image/checksum.ts';
import { algorithmOf, type Digest } from '../../image/digest.ts';
import { type BlobDescriptor, findCompression } from '../../image/manifest.ts';
import type { Pointer } from '../../native/glib.ts';
import { withStoreErrors } from '../../ostree/store-error.ts';
import type { Transaction } from '../../ostree/transaction.ts';
import type { RenewableSource } from '../../source/renewable-source.ts';
import type { FileWorker } from '../layer/file-worker.ts';
import type { WriteBack } from '../layer/write-back.ts';
import { recordLayer } from '../layer-ledger.ts';
import { readAvailableSpace } from '../preflight.ts';
import { findStoredLayer, type StoredLayer } from '../stored-layer.ts';
import type { BlobQueue } from './blob-queue.ts';

export interface LayerSource {
  readonly source: RenewableSource;
  /** Pauses before each further try in milliseconds, see `SourceOptions.retryPauses`. */
  readonly retryPauses: readonly number[];
}

/** What a layer passes through: its blob, and the thread that creates its files. */
export interface LayerPipeline extends LayerSource {
  readonly blobs: BlobQueue;
  readonly files: FileWorker;
  readonly writeBack: WriteBack;
}

/** The origin of a layer: `present` under its ref, `resumed` from an interrupted pull, or `fetched` from the source. */
type EnsuredLayer =
  | { readonly kind: 'present'; readonly stored: StoredLayer }
  | { readonly kind: 'resumed'; readonly stored: StoredLayer }
  | {
      readonly kind: 'fetched';
      readonly stored: StoredLayer;
      /** Length of the inflated archive in bytes, at least 1. */
      readonly bytesWritten: number;
      /** Number of files that lost an extended attribute, see `ImportedLayer`. */
      readonly leftOut: ReadonlyMap<string, number>;
    };

interface WantedLayer {
  readonly layer: BlobDescriptor;
  /** Digest of the inflated layer, by the image's configuration. */
  readonly diffId: Digest | undefined;
}

/**
 * Makes sure that the store has a layer.
 *
 * @param known stored layers by digest; another pull may have stored further layers meanwhile
 */
export async function ensureLayer(
  host: Host,
  transaction: Transaction,
  from: LayerPipeline,
  { known, ...wanted }: WantedLayer & { readonly known: ReadonlyMap<string, StoredLayer> },
): Promise<EnsuredLayer> {
  const { layer, diffId } = wanted;
  throwIfInterrupted(host);
  const { repository } = host.locations;
  const stored = known.get(layer.digest) ?? findStoredLayer(repository, layer, diffId);
  if (stored !== undefined) return { kind: 'present', stored };
  return withStoreErrors(`storing layer ${layer.digest}`, async () => {
    const { resumeLayer } = await import('./resume-layer.ts');
    const resumed = resumeLayer(repository, transaction, layer);
    if (resumed !== undefined) return { kind: 'resumed', stored: resumed };
    return fetchWithRetries(host, transaction, from, wanted);
  });
}

async function fetchWithRetries(
  host: Host,
  transaction: Transaction,
  { source, retryPauses, ...pipeline }: LayerPipeline,
  wanted: WantedLayer,
): Promise<EnsuredLayer> {
  const object = `layer ${wanted.layer.digest}`;
  try {
    return await retryTransient(host, object, retryPauses, async (triesBefore) => {
      if (triesBefore > 0) await source.renew();
      return fetchLayer(host, transaction, pipeline, wanted);
    });
  } catch (error) {
    throw wrapError(error, object);
  }
}

async function fetchLayer(
  host: Host,
  transaction: Transaction,
  { blobs, files, writeBack }: Omit<LayerPipeline, keyof LayerSource>,
  { layer, diffId }: WantedLayer,
): Promise<EnsuredLayer> {
  const { importLayer } = await import('../layer/import-layer.ts');
  const { ObjectStage } = await import('../layer/object-stage.ts');
  const { writeLayerCommit } = await import('../write-commit.ts');
  host.report({ kind: 'layer-started', digest: layer.digest, bytes: layer.size });
  const { repo } = transaction;
  const stage = new ObjectStage(host.locations, (await readAvailableSpace(host, repo)).bytes, files);
  using record = stage.createRecord();
  const blob = await blobs.take(layer);
  const imported = await importLayer(stage, blob, {
    record,
    compression: findCompression(layer, diffId),
    algorithm: diffId === undefined ? 'sha256' : algorithmOf(diffId),
    writeBack,
    onReceived: (received) => host.report({ kind: 'layer-progress', digest: layer.digest, received }),
  });
  await requireTakenOver(repo, imported.tree.dirtree);
  recordLayer(host.locations.repository, layer.digest, writeLayerCommit(transaction, layer, imported));
  host.report({ kind: 'layer-finished', digest: layer.digest });
  const { unsupportedEntries, impliedDirectories, mayHaveWhiteouts } = imported.summary;
  if (unsupportedEntries > 0) {
    host.report({
      kind: 'warning',
      text: `layer ${layer.digest}: left out ${formatCount(unsupportedEntries, 'device node or FIFO', 'device nodes or FIFOs')}; the store cannot keep them`,
    });
  }
  const tree = { ...imported.tree, impliedDirectories: new Set(impliedDirectories), mayHaveWhiteouts };
  return {
    kind: 'fetched',
    stored: { tree, uncompressedDigest: imported.uncompressedDigest },
    bytesWritten: Math.max(imported.uncompressedSize, 1),
    leftOut: imported.leftOut,
  };
}

/** Asks libostree for an object in the stage, because the place of a transaction's objects is not documented. */
async function requireTakenOver(repo: Pointer, dirtree: Checksum): Promise<void> {
  const { hasObject } = await import('../../native/ostree-inventory.ts');
  if (hasObject(repo, 'dirtree', dirtree)) return;
  throw new AtomicError('STORE_FAILED', 'libostree does not find the objects of its own transaction', {
    hint: 'This version of libostree stores them in another place than earlier versions; report this as a bug.',
  });
}
