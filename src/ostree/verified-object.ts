import { readFileSync } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import { tolerateMissing } from '../base/file-error.ts';
import type { Checksum } from '../image/checksum.ts';
import { REPAIR_HINT } from './object-files.ts';

/**
 * Reads a metadata object and compares its checksum. An object that is computed from a damaged one would hide the damage,
 * because its own checksum is right.
 *
 * @param path path of the object's file, see `formatObjectPath`
 * @param kind for messages
 * @throws AtomicError STORE_CORRUPT when it is missing or damaged; failed system calls
 */
export function readVerifiedObject(
  path: string,
  checksum: Checksum,
  kind: 'commit' | 'dirtree' | 'dirmeta',
): Buffer {
  const data = readFile(path);
  if (data === undefined) throw buildCorrupt(checksum, kind, 'it is missing');
  if (Bun.CryptoHasher.hash('sha256', data, 'hex') === checksum) return data;
  throw buildCorrupt(checksum, kind, 'its checksum is wrong');
}

/** Builds the error for a damaged or missing object. */
export function buildCorrupt(checksum: Checksum, kind: string, reason: string): AtomicError {
  return new AtomicError('STORE_CORRUPT', `reading object ${checksum}.${kind}: ${reason}`, {
    hint: REPAIR_HINT,
  });
}

function readFile(path: string): Buffer | undefined {
  return tolerateMissing(() => readFileSync(path));
}
