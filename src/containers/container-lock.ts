import { ensureDirectory } from '../host/files/durable-files.ts';
import type { Host } from '../host/host.ts';
import type { Locations } from '../host/locations.ts';
import { type LockRequest, type LockResult, withLock, withLockIfFree } from '../host/locks/lock.ts';
import { ensurePrivateCheckouts } from '../store/access/private-folders.ts';

/**
 * Runs an operation on one container with its lock. Waits for another operation, and reports the wait.
 *
 * @param verb the name of the operation, for processes that wait: `install`
 * @throws READ_ONLY, NO_SPACE when the lock cannot be made; INTERRUPTED while waiting
 */
export async function withContainerLock<T>(
  host: Host,
  name: string,
  verb: string,
  action: () => Promise<T>,
): Promise<T> {
  return withLock(host, await prepareLock(host, name, verb), action);
}

/**
 * Runs an operation on several containers with their locks. All processes take the locks in the same order,
 * so that no two processes wait for each other.
 */
export async function withContainerLocks<T>(
  host: Host,
  names: readonly string[],
  verb: string,
  action: () => Promise<T>,
): Promise<T> {
  const [name, ...others] = [...new Set(names)].sort();
  if (name === undefined) return action();
  return withContainerLock(host, name, verb, () => withContainerLocks(host, others, verb, action));
}

/** Runs an operation on one container with its lock, unless another operation holds the lock. */
export async function withContainerLockIfFree<T>(
  host: Host,
  name: string,
  verb: string,
  action: () => Promise<T>,
): Promise<LockResult<T>> {
  return withLockIfFree(await prepareLock(host, name, verb), action);
}

export function buildLockFolder(locations: Locations): string {
  return `${locations.state}/locks`;
}

async function prepareLock(host: Host, name: string, verb: string): Promise<LockRequest> {
  const folder = buildLockFolder(host.locations);
  await ensurePrivateCheckouts(host);
  await ensureDirectory(folder);
  return { path: `${folder}/${name}`, object: name, purpose: `atomic ${verb} ${name}` };
}
