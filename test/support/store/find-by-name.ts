import type { Host } from '../../../src/host/host.ts';
import type { StoredImage } from '../../../src/image/image.ts';
import { parseStoredName } from '../../../src/image/source-name.ts';
import { findByReference } from '../../../src/store/find-image.ts';

/** Finds a stored image by the name that a user types. */
export async function findImage(host: Host, written: string): Promise<StoredImage | undefined> {
  return findByReference(host, parseStoredName(written));
}
