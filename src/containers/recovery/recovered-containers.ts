import type { Host } from '../../host/host.ts';
import { withContainerLocks } from '../container-lock.ts';
import { recoverContainer } from './recover.ts';

/**
 * Runs an operation on containers with their locks, after interrupted operations on them were undone or finished. So the
 * operation waits for an update that stops and starts the same service.
 */
export async function withRecoveredContainers<T>(
  host: Host,
  names: readonly string[],
  verb: string,
  action: () => Promise<T>,
): Promise<T> {
  return withContainerLocks(host, names, verb, async () => {
    for (const name of names) await recoverContainer(host, name, names);
    return action();
  });
}
