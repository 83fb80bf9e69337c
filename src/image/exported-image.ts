/** A part of an exported image: its manifest, its configuration or a layer. */

import type { Digest } from './digest.ts';
export interface ExportedPart {
  /** The digest in the stored image, `sha256:...`. */
  readonly original: Digest;
  /** The digest at the destination; `undefined` when the destination has no such part. */
  readonly digest: Digest | undefined;
  /** Why the two digests differ; `undefined` when they are equal. */
  readonly reason: string | undefined;
}

export interface ExportedImage {
  readonly reference: string;
  /** The destination in the form of skopeo. */
  readonly destination: string;
  readonly manifest: ExportedPart;
  readonly config: ExportedPart;
  /** Base first. */
  readonly layers: readonly ExportedPart[];
}
