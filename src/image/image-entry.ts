/** The entry at a path of an image. */
export type ImageEntry =
  | { readonly kind: 'directory' | 'file' }
  | { readonly kind: 'symlink'; readonly target: string };
