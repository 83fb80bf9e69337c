import type { ImageConfig, ImageDetails } from './configuration-blob.ts';
import type { StoredImage } from './image.ts';
import type { LayerFacts } from './image-history.ts';

/** Everything that the store knows of an image without looking into its files. */
export interface ImageDescription {
  readonly image: StoredImage;
  /** All names of the image, sorted. */
  readonly names: readonly string[];
  /** `sha256:...` of the manifest; `undefined` when it was not recorded. */
  readonly digest: string | undefined;
  /** Of the manifest; empty when it does not say. */
  readonly mediaType: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Base first. */
  readonly layers: readonly LayerFacts[];
  readonly config: ImageConfig;
  readonly details: ImageDetails;
  /** How many signatures are stored with it. */
  readonly signatures: number;
}

/** Sums of bytes; see `store/image-size.ts`. */
export interface ImageSize {
  /** Everything that the image, its layers and its configuration reach. */
  readonly whole: number;
  /** The part that other images in the repository reach too. */
  readonly shared: number;
  /** The rest: what deleting all names of the image and a prune free, when no container uses it. */
  readonly own: number;
}
