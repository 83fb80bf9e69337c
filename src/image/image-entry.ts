/** What an image has at a path. */
export type ImageEntry =
  | { readonly kind: 'directory' | 'file' }
  | { readonly kind: 'symlink'; readonly target: string };
