import { formatSize } from '../../../src/cli/output/format-size.ts';
import type { BuiltImage } from '../../support/oci-image.ts';

/** The last line of a pull. @param digests of the layers that were fetched */
export function formatStoredLine(reference: string, image: BuiltImage, digests: readonly string[]): string {
  const id = image.manifest.digest.slice('sha256:'.length, 'sha256:'.length + 12);
  const fetched = image.layers.filter(({ digest }) => digests.includes(digest));
  const layers = image.layers.length === 1 ? 'layer' : 'layers';
  const bytes = fetched.reduce((sum, { size }) => sum + size, 0);
  return `Stored ${reference}, id ${id}, ${fetched.length} of ${image.layers.length} ${layers} fetched, ${formatSize(bytes)}`;
}
