/** Formats the device and the inode of a file: all hard links have the same pair, and no other file has it meanwhile. */
export function formatFileIdentity({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}
