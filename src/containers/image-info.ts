import type { StoredImage } from '../image/image.ts';
import type { ImageSize } from '../image/image-description.ts';
import type { ImageVariables } from './render/values/image-variables.ts';

/** The facts that `images info` shows. */
export interface ImageInfo {
  readonly image: StoredImage;
  readonly labels: Readonly<Record<string, string>>;
  readonly variables: ImageVariables;
  readonly size: ImageSize;
}
