import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { listContainerNames } from './read-container.ts';

/** The largest number of names in the hint. */
const maxNamesInHint = 10;

/** Builds the error for a name without a container. */
export async function buildContainerNotFound(host: Host, name: string): Promise<AtomicError> {
  const names = await listContainerNames(host);
  const shown = names.slice(0, maxNamesInHint).join(', ');
  const more = names.length > maxNamesInHint ? ', ...' : '';
  return new AtomicError('CONTAINER_NOT_FOUND', `System container '${name}' is not installed`, {
    hint: names.length === 0 ? 'No system container is installed.' : `Installed are: ${shown}${more}`,
    details: { name },
  });
}
