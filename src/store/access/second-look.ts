import type { ProgressEvent } from '../../base/events.ts';
import type { Host } from '../../host/host.ts';
import { isDamage } from '../../ostree/tolerate-damage.ts';
import { withReadableStore } from './store-lock.ts';

/**
 * Runs an action that reads the store without its lock, so that it waits for nobody. What it takes for damage, or warns of,
 * may be an image that is deleted and pruned meanwhile: then it reads again with the lock, and what it finds then is so.
 *
 * @throws what the action throws; INTERRUPTED while waiting for the lock
 */
export async function withSecondLook<T>(host: Host, action: (host: Host) => Promise<T>): Promise<T> {
  let hasWarned = false;
  const report = (event: ProgressEvent): void => {
    if (event.kind === 'warning') hasWarned = true;
    else host.report(event);
  };
  try {
    const found = await action({ ...host, report });
    if (!hasWarned) return found;
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  return withReadableStore(host, () => action(host));
}
