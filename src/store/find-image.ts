import type { StoredImage } from '../core/image.ts';
import { formatImageRef } from '../core/ref-name.ts';
import { formatReference, parseReference } from '../core/reference.ts';
import type { Host } from '../host/host.ts';
import { describeImage } from './image-commit.ts';
import { findRef, readCommit } from './object-files.ts';

/**
 * Finds the image that is stored under a name.
 *
 * @param name as a person writes it; without tag or digest it means `latest`
 * @throws AtomicError BAD_REFERENCE, STORE_CORRUPT
 */
export async function findImage(host: Host, name: string): Promise<StoredImage | undefined> {
  const reference = formatReference(parseReference(name));
  const { repository } = host.locations;
  const commit = findRef(repository, formatImageRef(reference));
  return commit === undefined ? undefined : describeImage(reference, commit, readCommit(repository, commit));
}
