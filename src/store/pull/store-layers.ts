/**
 * Stores the layers of an image. A transaction ends after every 256 MB of new data, and when the pull fails, so that complete
 * layers stay. For layers that are complete when the process is killed see `layer-ledger.ts`.
 */

import { AtomicError } from '../../base/errors.ts';
import { formatCount } from '../../base/format-count.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import type { Digest } from '../../image/digest.ts';
import type { BlobDescriptor, ImageManifest } from '../../image/manifest.ts';
import { toStoreError, withStoreErrors } from '../../ostree/store-error.ts';
import type { Transaction } from '../../ostree/transaction.ts';
import { forgetLayers } from '../layer-ledger.ts';
import type { LayerTree } from '../merge-layers.ts';
import type { StoredLayer } from '../stored-layer.ts';
import { ensureLayer, type LayerPipeline } from './fetch-layer.ts';

/**
 * Bytes between two transactions. The end of a transaction syncs the filesystem, which takes about 0.3 s after 200 MB. Only a
 * power cut loses the layers after the last one, see `layer-ledger.ts`.
 */
const CHECKPOINT_BYTES = 256 * 1024 * 1024;
/** Number of attributes that a warning names. */
const MAX_NAMED = 5;

interface StoredLayers {
  /** Trees of all layers, base first. */
  readonly trees: readonly LayerTree[];
  /** Layers that came from the source, base first. */
  readonly fetched: readonly BlobDescriptor[];
  /** Layers whose refs the open transaction will set. */
  readonly pending: ReadonlySet<Digest>;
}

interface WantedLayers {
  readonly manifest: ImageManifest;
  /** Digests of the inflated layers, base first. */
  readonly diffIds: readonly Digest[];
  /** Layers by digest that need not be fetched, including those of `findAdoptableLayers`. */
  readonly there: ReadonlyMap<string, StoredLayer>;
}

/**
 * Needs an open transaction and leaves one open. After a failure the complete layers have their refs, unless the image itself
 * is at fault, because then a pull of the same image fails again.
 *
 * @throws AtomicError LAYER_REJECTED, DIGEST_MISMATCH, NO_SPACE, STORE_FAILED; errors of the source
 */
export async function storeLayers(
  host: Host,
  transaction: Transaction,
  from: LayerPipeline,
  { manifest, diffIds, there }: WantedLayers,
): Promise<StoredLayers> {
  const fetched: BlobDescriptor[] = [];
  const trees: LayerTree[] = [];
  const known = new Map(there);
  const pending = new Set<Digest>();
  const leftOut = new Map<string, number>();
  let uncommitted = 0;
  try {
    for (const [index, layer] of manifest.layers.entries()) {
      const diffId = diffIds[index];
      const ensured = await ensureLayer(host, transaction, from, { layer, diffId, known });
      checkDiffId(layer, ensured.stored.uncompressedDigest, diffId);
      trees.push(ensured.stored.tree);
      known.set(layer.digest, ensured.stored);
      if (ensured.kind === 'present') continue;
      pending.add(layer.digest);
      if (ensured.kind === 'resumed') continue;
      fetched.push(layer);
      for (const [name, count] of ensured.leftOut) leftOut.set(name, (leftOut.get(name) ?? 0) + count);
      uncommitted += ensured.bytesWritten;
      const isLast = index === manifest.layers.length - 1;
      if (uncommitted < CHECKPOINT_BYTES || isLast) continue;
      await withStoreErrors('storing layers', () => commitLayers(host, transaction, pending));
      uncommitted = 0;
    }
    warnOfLeftOut(host, leftOut);
    return { trees, fetched, pending };
  } catch (error) {
    const isImageAtFault = error instanceof AtomicError && error.category === 'image';
    if (pending.size > 0 && !isImageAtFault) await keepCompleteLayers(host, transaction, pending);
    throw error;
  }
}

/** Sets the refs of layers and begins the next transaction. */
async function commitLayers(host: Host, transaction: Transaction, pending: Set<Digest>): Promise<void> {
  await transaction.checkpoint();
  forgetLayers(host, pending);
  pending.clear();
}

/** A failure here is only a warning, because it must not hide the reason why the pull failed. */
async function keepCompleteLayers(host: Host, transaction: Transaction, pending: Set<Digest>): Promise<void> {
  try {
    await commitLayers(host, transaction, pending);
  } catch (error) {
    const failure = toStoreError(error, 'keeping complete layers');
    if (!(failure instanceof AtomicError)) throw failure;
    host.report({ kind: 'warning', text: failure.message });
  }
}

/** One warning for all layers: builders on other systems add the same attributes everywhere. */
function warnOfLeftOut(host: Host, leftOut: ReadonlyMap<string, number>): void {
  if (leftOut.size === 0) return;
  const sorted = [...leftOut].sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, MAX_NAMED).map(([name, count]) => `${toPrintable(name)} (${count})`);
  const rest = sorted.slice(MAX_NAMED).reduce((sum, [, count]) => sum + count, 0);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const names = [...shown, ...(rest === 0 ? [] : [`others (${rest})`])].join(', ');
  host.report({
    kind: 'warning',
    text: `left out ${formatCount(total, 'extended attribute')} of files, which the kernel does not take on the filesystem of the image store: ${names}`,
  });
}

function checkDiffId(layer: BlobDescriptor, actual: string, expected: string | undefined): void {
  if (expected === undefined || expected === actual) return;
  throw new AtomicError(
    'DIGEST_MISMATCH',
    `layer ${layer.digest}: it inflates to ${actual}, but the image says ${expected}`,
    {
      hint: 'The image is damaged or forged; nothing was stored.',
    },
  );
}
