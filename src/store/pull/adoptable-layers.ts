/**
 * Layers that are there already under another name. The digest of a layer is that of its compressed archive, so one
 * content has several: a registry sends it with gzip, an engine plain. What unpacks to the same archive is the same
 * tree: the new name gets a commit of its own, and nothing is fetched.
 */
import type { BlobDescriptor } from '../../image/manifest.ts';
import type { Commit } from '../../ostree/ostree-objects.ts';
import type { LayerContents } from './layer-contents.ts';

/** A missing layer, and the commit of another one that inflates to the same archive. */
export interface AdoptableLayer {
  readonly layer: BlobDescriptor;
  readonly diffId: string;
  readonly content: Commit;
}

/**
 * Finds the missing layers whose content another layer has.
 *
 * @param diffIds digests of the inflated layers, in the order of `layers`
 * @param there digests of the layers that are not missing
 */
export function findAdoptableLayers(
  contents: LayerContents,
  layers: readonly BlobDescriptor[],
  diffIds: readonly string[],
  there: Pick<ReadonlySet<string>, 'has'>,
): AdoptableLayer[] {
  const missing = layers.flatMap((layer, index) =>
    there.has(layer.digest) ? [] : [{ layer, diffId: diffIds[index] ?? '' }],
  );
  const found = contents.find(new Set(missing.map(({ diffId }) => diffId)));
  return missing.flatMap(({ layer, diffId }) => {
    const content = found.get(diffId);
    return content === undefined ? [] : [{ layer, diffId, content }];
  });
}
