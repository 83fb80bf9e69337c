/**
 * Manifests of obsolete kinds that the original tool has stored (compatibility S-06): Docker's schema 1, and what
 * `skopeo inspect` printed. Both only name layers.
 */

import { isJsonObject, tryParseJson } from '../base/json-text.ts';
import { algorithmOf, type Digest, isDigest } from './digest.ts';

interface OriginalManifest {
  /** `sha256:...` of the manifest in its registry; `undefined` when it was not recorded. */
  readonly digest: Digest | undefined;
  /** Base first, `sha256:...`. */
  readonly layers: readonly Digest[];
}

/** The same limit as in `parseManifest`. */
const MAX_LAYERS = 500;

/** @returns `undefined` when the text is another kind of manifest, or no manifest */
export function parseOriginalManifest(text: string): OriginalManifest | undefined {
  const manifest = tryParseJson(text);
  if (!isJsonObject(manifest) || manifest.schemaVersion === 2) return undefined;
  const { fsLayers, Layers: inspected, Digest: digest } = manifest;
  const layers = Array.isArray(fsLayers)
    ? fsLayers.map((layer: unknown) => (isJsonObject(layer) ? layer.blobSum : undefined)).reverse()
    : inspected;
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > MAX_LAYERS) return undefined;
  if (!layers.every(isSha256)) {
    return undefined;
  }
  return { digest: isSha256(digest) ? digest : undefined, layers };
}

function isSha256(value: unknown): value is Digest {
  return isDigest(value) && algorithmOf(value) === 'sha256';
}
