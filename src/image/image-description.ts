import type { ImageConfig, ImageDetails } from './configuration-blob.ts';
import type { Digest } from './digest.ts';
import type { StoredImage } from './image.ts';
import type { LayerFacts } from './image-history.ts';

/** Everything that the store knows about an image without reading its files. */
export interface ImageDescription {
  readonly image: StoredImage;
  /** All names of the image, sorted. */
  readonly names: readonly string[];
  /** `sha256:...` of the manifest; `undefined` when it was not recorded. */
  readonly digest: Digest | undefined;
  /** The media type in the manifest; empty without one. */
  readonly mediaType: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Base first. */
  readonly layers: readonly LayerFacts[];
  readonly config: ImageConfig;
  readonly details: ImageDetails;
  /** The number of signatures that are stored with the image. */
  readonly signatures: number;
}

/** Sums of bytes; see `store/image-size.ts`. */
export interface ImageSize {
  /** All objects that the image, its layers and its configuration need. */
  readonly whole: number;
  /** The part that other images in the repository need too. */
  readonly shared: number;
  /** The rest. Deleting all names of the image and a prune free it, unless a container uses the image. */
  readonly own: number;
}
