import { formatCount } from '../../base/format-count.ts';
import { toPrintable } from '../../base/printable.ts';
import { formatSize } from '../../cli/output/format-size.ts';

/** Formats the result of a prune. The refs were printed at their removal (`Deleting ociimage/HEX`). */
export function formatPruned({
  objects,
  bytes,
  leftovers,
}: {
  readonly objects: number;
  readonly bytes: number;
  readonly leftovers: readonly string[];
}): string {
  const paths = leftovers.map((path) => `Removed ${toPrintable(path)}\n`).join('');
  return `${paths}Freed ${formatCount(objects, 'object')}, ${formatSize(bytes)}\n`;
}
