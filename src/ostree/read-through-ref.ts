import { findRef } from './object-files.ts';
import { isDamage } from './tolerate-damage.ts';

/**
 * Reads the commit that a ref names, without a lock. A commit that is not there may have been deleted and pruned since the
 * ref was read: then the ref has gone, too, or names another one. Only a ref that still names it is damaged.
 *
 * @param read of the commit; called again when the ref has changed
 * @returns `undefined` when there is no such ref, or not any more
 * @throws what `read` throws; AtomicError STORE_CORRUPT when the ref names no commit
 */
export function readThroughRef<T>(
  repository: string,
  ref: string,
  read: (commit: string) => T,
): T | undefined {
  let checksum = findRef(repository, ref);
  while (checksum !== undefined) {
    try {
      return read(checksum);
    } catch (error) {
      const now = isDamage(error) ? findRef(repository, ref) : checksum;
      if (now === checksum) throw error;
      checksum = now;
    }
  }
  return undefined;
}
