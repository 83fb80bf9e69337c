import type { StoredImage } from './image.ts';
import type { ImageSize } from './image-description.ts';
import type { ImageVariables } from './image-variables.ts';

/** What `images info` shows. */
export interface ImageInfo {
  readonly image: StoredImage;
  readonly labels: Readonly<Record<string, string>>;
  readonly variables: ImageVariables;
  readonly size: ImageSize;
}
