import type { Host } from '../../host/host.ts';
import { withByteLock } from '../../host/locks/byte-lock.ts';
import { formatLockPath } from './store-lock.ts';

/** Bytes of the checksum that choose the offset: an offset in a file has 63 bits, a number of the runtime 53. */
const KEY_BYTES = 6;

/**
 * Runs an action on an image while no other process runs one on it, so that a second pull finds the layers of the first. The
 * caller holds the store shared. The lock is a byte of the store's lock file, at an offset that follows from `key`, so it
 * leaves no file. Two images with the same offset wait for each other, which does no harm.
 *
 * @param key name of the image in the store, or digest of its manifest; a caller that takes both takes the name first
 * @param reference name for the message about waiting
 * @throws INTERRUPTED while waiting, READ_ONLY, STORE_FAILED
 */
export async function withImageLock<T>(
  host: Host,
  key: string,
  reference: string,
  action: () => Promise<T>,
): Promise<T> {
  // Byte 0 is the lock of the store itself.
  const start = 1 + new Bun.CryptoHasher('sha256').update(key).digest().readUIntBE(0, KEY_BYTES);
  return withByteLock(
    host,
    { path: formatLockPath(host), mode: 'exclusive', start, length: 1, object: `the image ${reference}` },
    action,
  );
}
