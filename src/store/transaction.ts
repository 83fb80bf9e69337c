import type { Host } from '../host/host.ts';
import type { Pointer } from '../native/glib.ts';
import { openTransaction } from './library-lock.ts';
import { withStoreErrors } from './store-error.ts';

/**
 * Runs an action in a transaction of libostree and commits it: then its objects and refs are there, and on the disk.
 * When something fails, nothing of it is.
 *
 * @param step "verbing object", for messages
 * @throws AtomicError NO_SPACE, READ_ONLY, STORE_FAILED, LOCK_BUSY and INTERRUPTED while another program takes objects away,
 * and what the action throws
 */
export async function withTransaction<T>(
  host: Host,
  repo: Pointer,
  step: string,
  action: () => T | Promise<T>,
): Promise<T> {
  const { abortTransaction, commitTransaction } = await import('../native/ostree.ts');
  return withStoreErrors(step, async () => {
    await openTransaction(host, repo);
    try {
      const result = await action();
      await commitTransaction(repo);
      return result;
    } catch (error) {
      // The first failure is the reason; the next transaction or prune removes what is left.
      try {
        abortTransaction(repo);
      } catch (failure) {
        host.report({ kind: 'warning', text: `${step}: ending the transaction: ${String(failure)}` });
      }
      throw error;
    }
  });
}
