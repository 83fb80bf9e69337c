/** What came of an image that left the store. */
export interface ExportedPart {
  /** Digest by which the image knows it, `sha256:...`. */
  readonly original: string;
  /** Digest with which it arrived; `undefined` where the destination has no such part. */
  readonly digest: string | undefined;
  /** Why they are not the same; `undefined` when they are. */
  readonly reason: string | undefined;
}

export interface ExportedImage {
  readonly reference: string;
  /** As skopeo writes it. */
  readonly destination: string;
  readonly manifest: ExportedPart;
  readonly config: ExportedPart;
  /** Base first. */
  readonly layers: readonly ExportedPart[];
}
