import { createHash } from 'node:crypto';
import type { Host } from '../../host/host.ts';
import { withByteLock } from '../../host/locks/byte-lock.ts';
import { formatLockPath } from './store-lock.ts';

/** Of the 256 bits of the checksum; the numbers of bytes in a file have 63, and those of the runtime 53. */
const KEY_BYTES = 6;

/**
 * Runs an action on an image while no other process runs one on it: what one pull fetches, the next one has. The caller
 * holds the store shared. The lock is a byte of the store's lock file, which the name or the digest chooses, so that no file
 * of its own is left of it; two images that choose the same byte wait for each other, which does no harm.
 *
 * @param key the image's name in the store, or the digest of its manifest; who takes both takes the name first
 * @param reference for the message of a wait
 * @throws INTERRUPTED while waiting, READ_ONLY, STORE_FAILED
 */
export async function withImageLock<T>(
  host: Host,
  key: string,
  reference: string,
  action: () => Promise<T>,
): Promise<T> {
  // Byte 0 is the turn of those who want the store itself.
  const start = 1 + createHash('sha256').update(key).digest().readUIntBE(0, KEY_BYTES);
  return withByteLock(
    host,
    { path: formatLockPath(host), mode: 'exclusive', start, length: 1, object: `the image ${reference}` },
    action,
  );
}
