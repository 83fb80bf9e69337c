import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { listContainerNames } from './read-container.ts';

/** More names than this are not read. */
const maxNamesInHint = 10;

/** The error for a name that no container has. */
export async function buildNotFound(host: Host, name: string): Promise<AtomicError> {
  const names = await listContainerNames(host);
  const shown = names.slice(0, maxNamesInHint).join(', ');
  const more = names.length > maxNamesInHint ? ', ...' : '';
  return new AtomicError('CONTAINER_NOT_FOUND', `System container '${name}' is not installed`, {
    hint: names.length === 0 ? 'No system container is installed.' : `Installed are: ${shown}${more}`,
    details: { name },
  });
}
