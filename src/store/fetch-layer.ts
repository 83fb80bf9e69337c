/** One layer of an image that is being stored: from the repository, or from the source into the open transaction. */
import { wrapError } from '../core/errors.ts';
import { type BlobDescriptor, findCompression } from '../core/manifest.ts';
import type { Host } from '../host/host.ts';
import { throwIfInterrupted } from '../host/interruption.ts';
import type { Pointer } from '../native/glib.ts';
import type { ImageSource } from '../source/image-source.ts';
import { withStoreErrors } from './store-error.ts';
import { findStoredLayer, type StoredLayer } from './stored-layer.ts';

/**
 * @param known layers of this image that came before; the repository finds them only from the next checkpoint on
 * @param diffId digest of the inflated layer, as the image says
 * @returns the layer and the bytes that were written for it: 0 when it was there
 */
export async function ensureLayer(
  host: Host,
  repo: Pointer,
  source: ImageSource,
  layer: BlobDescriptor,
  known: ReadonlyMap<string, StoredLayer>,
  diffId: string | undefined,
): Promise<{ stored: StoredLayer; bytesWritten: number }> {
  throwIfInterrupted(host);
  const stored = known.get(layer.digest) ?? findStoredLayer(host.locations.repository, layer, diffId);
  if (stored !== undefined) return { stored, bytesWritten: 0 };
  return withStoreErrors(`storing layer ${layer.digest}`, async () => {
    try {
      return await fetchLayer(host, repo, source, layer, diffId);
    } catch (error) {
      throw wrapError(error, `layer ${layer.digest}`);
    }
  });
}

async function fetchLayer(
  host: Host,
  repo: Pointer,
  source: ImageSource,
  layer: BlobDescriptor,
  diffId: string | undefined,
): Promise<{ stored: StoredLayer; bytesWritten: number }> {
  const { importLayer } = await import('./import-layer.ts');
  const { writeLayerCommit } = await import('./write-commit.ts');
  host.report({ kind: 'layer-started', digest: layer.digest, bytes: layer.size });
  const blob = await source.proxy.openBlob(source.image, layer.digest, layer.size);
  const imported = await importLayer(repo, findCompression(layer, diffId), blob, (received) =>
    host.report({ kind: 'layer-progress', digest: layer.digest, received }),
  );
  writeLayerCommit(repo, layer, imported);
  host.report({ kind: 'layer-finished', digest: layer.digest });
  const { unsupportedEntries, impliedDirectories, mayHaveWhiteouts } = imported.summary;
  if (unsupportedEntries > 0) {
    host.report({
      kind: 'warning',
      text: `layer ${layer.digest}: ${unsupportedEntries} device nodes or FIFOs were left out; the store cannot keep them`,
    });
  }
  const tree = { ...imported.tree, impliedDirectories: new Set(impliedDirectories), mayHaveWhiteouts };
  return {
    stored: { tree, uncompressedDigest: imported.uncompressedDigest },
    bytesWritten: Math.max(imported.uncompressedSize, 1),
  };
}
