import type { Checksum } from '../image/checksum.ts';
import { findRef } from './object-files.ts';
import { isDamage } from './tolerate-damage.ts';

/**
 * Reads the commit that a ref names, without a lock. When the commit is missing, it may have been deleted and pruned since
 * the ref was read; the ref is then gone or names another commit. It is damage only when the ref still names that commit.
 *
 * @param read reads a commit by its checksum; called again when the ref has changed
 * @returns `undefined` when there is no such ref, or it was removed meanwhile
 * @throws the errors of `read`; AtomicError STORE_CORRUPT when the ref names no commit
 */
export function readThroughRef<T>(
  repository: string,
  ref: string,
  read: (commit: Checksum) => T,
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
