import { AtomicError } from '../base/errors.ts';
import { isJsonObject, parseJsonObject } from '../base/json-text.ts';
import { isDigest } from './digest.ts';

const MAX_LENGTH = 4 * 1024 * 1024;

/**
 * Reads the digests of the inflated layers from the configuration blob (OCI image specification, `rootfs.diff_ids`).
 *
 * @param text the configuration blob
 * @param layers how many layers the manifest has
 * @returns one digest for each layer, base first
 * @throws AtomicError MANIFEST_INVALID when the blob does not fit the manifest
 */
export function readDiffIds(text: string, layers: number): readonly string[] {
  const reject = (problem: string): AtomicError =>
    new AtomicError('MANIFEST_INVALID', `reading the image's configuration: ${problem}`, {
      hint: 'Only images that can be run are supported, not other artifacts. Ask the author of the image.',
    });
  const { rootfs } = parseJsonObject(text, MAX_LENGTH, reject);
  const diffIds = isJsonObject(rootfs) ? rootfs.diff_ids : undefined;
  if (!Array.isArray(diffIds)) throw reject('"rootfs.diff_ids" is not a list');
  if (diffIds.length !== layers) throw reject(`it names ${diffIds.length} layers, the manifest ${layers}`);
  return diffIds.map((digest: unknown) => {
    if (!isDigest(digest)) throw reject('"rootfs.diff_ids" holds no digest of sha256 or sha512');
    return digest;
  });
}
