/** What the store lends a source: a folder on its filesystem, gone when the image is closed. */
export interface Scratch {
  /** @returns the path, empty at the first call; made then */
  open(): Promise<string>;
}
