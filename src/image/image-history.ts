import type { HistoryEntry } from './configuration-blob.ts';
import type { Digest } from './digest.ts';

/** A layer in the manifest, with the facts about it in the store. */
export interface LayerFacts {
  /** `sha256:...` of the blob. */
  readonly digest: Digest;
  /** `sha256:...` of the inflated archive; `undefined` when the configuration does not list it. */
  readonly diffId: Digest | undefined;
  /** Bytes of the compressed blob. */
  readonly size: number;
  /** Bytes of the inflated archive; `undefined` when the layer is not in the store. */
  readonly uncompressedSize: number | undefined;
  readonly mediaType: string;
}

/** One line of `images history`. */
export interface HistoryStep {
  /** `undefined` for a layer without a step in the configuration. */
  readonly entry: HistoryEntry | undefined;
  /** `undefined` for a step that made no layer. */
  readonly layer: LayerFacts | undefined;
}

/**
 * Joins the steps of a build with its layers: the n-th step that made a layer made the n-th layer. Some builders write no
 * steps, or too few. Layers without a step count as newest, because the steps are normally those of the base image.
 *
 * @param history oldest first
 * @param layers base first
 * @returns newest first
 */
export function buildHistory(
  history: readonly HistoryEntry[],
  layers: readonly LayerFacts[],
): readonly HistoryStep[] {
  let next = 0;
  const steps: HistoryStep[] = history.map((entry) => {
    const layer = entry.isEmpty ? undefined : layers[next];
    if (layer !== undefined) next += 1;
    return { entry, layer };
  });
  const rest = layers.slice(next).map((layer) => ({ entry: undefined, layer }));
  return [...steps, ...rest].reverse();
}
