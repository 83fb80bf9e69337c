/**
 * Containers that must not be updated until a person ends the hold.
 *
 * ```
 * STATE/held/NAME     the hold of one container: an empty file, removed with the container
 * ```
 */
import { AtomicError } from '../base/errors.ts';
import { FileMode } from '../base/file-mode.ts';
import { ensureDirectory, removeFile, writeFileDurably } from '../host/files/durable-files.ts';
import { isNameTaken } from '../host/files/existing-paths.ts';
import type { Host } from '../host/host.ts';
import { withContainerLock } from './container-lock.ts';
import { requireRoot } from './preconditions.ts';
import { buildContainerNotFound, readContainer } from './read-container.ts';
import { adviceForExistingName, parseContainerName } from './render/container-name.ts';

/** @returns whether the container was held before; @throws NOT_ROOT, BAD_VALUE, CONTAINER_NOT_FOUND */
export async function holdContainer(host: Host, written: string): Promise<boolean> {
  return changeHold(host, written, 'hold', async (path) => {
    await ensureDirectory(`${host.locations.state}/held`);
    await writeFileDurably(path, '', FileMode.private);
  });
}

/** @returns whether the container was held before; @throws NOT_ROOT, BAD_VALUE, CONTAINER_NOT_FOUND */
export async function unholdContainer(host: Host, written: string): Promise<boolean> {
  return changeHold(host, written, 'unhold', removeFile);
}

export async function isHeld(host: Host, name: string): Promise<boolean> {
  return isNameTaken(buildPath(host, name));
}

/** @throws HELD */
export async function requireNotHeld(host: Host, name: string): Promise<void> {
  if (!(await isHeld(host, name))) return;
  throw new AtomicError('HELD', `updating ${name}: it is held`, {
    hint: `End the hold to update it: atomic containers unhold ${name}`,
    details: { name },
  });
}

/** Removes the hold of a removed container: a later container of that name is not held. */
export async function forgetHold(host: Host, name: string): Promise<void> {
  await removeFile(buildPath(host, name));
}

/**
 * The caller holds the lock of the container: otherwise an uninstall could end meanwhile, and the file would hold the
 * next container of this name.
 */
async function changeHold(
  host: Host,
  written: string,
  verb: string,
  change: (path: string) => Promise<void>,
): Promise<boolean> {
  requireRoot(host, verb);
  const name = parseContainerName(written, adviceForExistingName);
  return withContainerLock(host, name, `containers ${verb}`, async () => {
    if ((await readContainer(host, name)).kind === 'absent') throw await buildContainerNotFound(host, name);
    const wasHeld = await isHeld(host, name);
    await change(buildPath(host, name));
    return wasHeld;
  });
}

function buildPath(host: Host, name: string): string {
  return `${host.locations.state}/held/${name}`;
}
