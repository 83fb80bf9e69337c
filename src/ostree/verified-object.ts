import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import { tolerateMissing } from '../base/file-error.ts';
import { REPAIR_HINT } from './object-files.ts';

/**
 * Reads a metadata object and compares its checksum: what is made of a damaged one would have a right checksum again.
 *
 * @param path of the object's file, see `formatObjectPath`
 * @param kind for messages
 * @throws AtomicError STORE_CORRUPT when it is missing or damaged; failed system calls
 */
export function readVerifiedObject(
  path: string,
  checksum: string,
  kind: 'commit' | 'dirtree' | 'dirmeta',
): Buffer {
  const data = readFile(path);
  if (data === undefined) throw buildCorrupt(checksum, kind, 'it is missing');
  if (hash('sha256', data, 'hex') === checksum) return data;
  throw buildCorrupt(checksum, kind, 'its content has another checksum');
}

/** The error of an object that is not what it should be. */
export function buildCorrupt(checksum: string, kind: string, reason: string): AtomicError {
  return new AtomicError('STORE_CORRUPT', `reading object ${checksum}.${kind}: ${reason}`, {
    hint: REPAIR_HINT,
  });
}

function readFile(path: string): Buffer | undefined {
  return tolerateMissing(() => readFileSync(path));
}
