import type { HistoryEntry } from './configuration-blob.ts';

/** A layer as the store has it. */
export interface LayerFacts {
  /** `sha256:...` of the blob. */
  readonly digest: string;
  /** `sha256:...` of the inflated archive; `undefined` when the configuration does not say. */
  readonly diffId: string | undefined;
  /** Bytes of the blob, as transferred. */
  readonly size: number;
  /** Bytes of the inflated archive; `undefined` when the layer is not here. */
  readonly uncompressedSize: number | undefined;
  readonly mediaType: string;
}

/** One line of `images history`. */
export interface HistoryStep {
  /** `undefined` for a layer of which the image says nothing. */
  readonly entry: HistoryEntry | undefined;
  /** `undefined` for a step that made no layer. */
  readonly layer: LayerFacts | undefined;
}

/**
 * Brings the steps of a build and its layers together: steps that made a layer, in their order, are those of the
 * layers. Some builders write no steps, or too few; the layers that are left over come last, because those with steps
 * are normally those of the base image.
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
