/** Names a file whatever its paths are, as long as one of them is there. */
export function formatFileIdentity({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}
