/** What the store lends a source: a folder on its filesystem, gone when the image is closed. */
export interface Scratch {
  /** @returns the path, empty at the first call; made then */
  open(): Promise<string>;
  /**
   * @param manifest of an image that will be copied there, in OCI form, not verified yet: good for the sizes it claims
   * @throws AtomicError NO_SPACE when the copy and the layers that are missing in the store do not fit
   */
  requireRoom(manifest: Buffer): Promise<void>;
}
