import type { StoredImage } from '../image/image.ts';
import type { ImageSize } from '../image/image-description.ts';
import type { Privilege } from './consent/privilege.ts';
import type { ImageVariables } from './render/values/image-variables.ts';

/** What an install of an image without `--set` would ask of the host. */
export interface ImageAsks {
  /** A variable without a default value is written `$NAME`. */
  readonly privileges: readonly Privilege[];
  /** Sentences about the parts that could not be computed. */
  readonly unknown: readonly string[];
}

/** The facts that `images info` shows. */
export interface ImageInfo {
  readonly image: StoredImage;
  readonly labels: Readonly<Record<string, string>>;
  readonly variables: ImageVariables;
  readonly asks: ImageAsks;
  readonly size: ImageSize;
}
