import { type Checksum, toChecksum } from '../../image/checksum.ts';
import { withStoreErrors } from '../../ostree/store-error.ts';

/**
 * Computes the checksum that a file or symlink would have as an object of the repository: of content, owner, mode and
 * xattrs.
 *
 * @param path not followed when it is a symlink
 * @returns 64 hex digits
 * @throws AtomicError TOOL_MISSING without libostree, STORE_FAILED when it cannot be read
 */
export async function checksumPath(path: string): Promise<Checksum> {
  return withStoreErrors(`reading ${path}`, async () => {
    const { checksumFile } = await import('../../native/ostree-check.ts');
    return toChecksum(await checksumFile(path));
  });
}
