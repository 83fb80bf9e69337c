import type { Transaction } from '../../ostree/transaction.ts';
import { readStoredLayer, type StoredLayer } from '../stored-layer.ts';
import { writeAdoptedLayer } from '../write-commit.ts';
import type { AdoptableLayer } from './adoptable-layers.ts';

/**
 * Writes a commit and a ref for each layer that is there under another name, in the open transaction.
 *
 * That a layer has this content is what the configuration says, and nobody has checked it yet. Hence the mark in the
 * commit: an image that says otherwise of the same layer fetches it.
 *
 * @returns the adopted layers by their digest
 */
export function adoptLayers(
  repository: string,
  transaction: Transaction,
  adoptable: readonly AdoptableLayer[],
): Map<string, StoredLayer> {
  return new Map(
    adoptable.map(({ layer, diffId, content }) => {
      writeAdoptedLayer(transaction, layer, content);
      return [layer.digest, readStoredLayer(repository, content, diffId)];
    }),
  );
}
