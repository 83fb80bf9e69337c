/** Updates several containers, one after another. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { SourceOptions } from '../../image/image.ts';
import { isHeld } from '../hold.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { listContainerNames } from '../read-container.ts';
import { updateContainer } from './update.ts';
import type { UpdateRequest, UpdateResult } from './update-request.ts';

export type UpdateOutcome =
  | { readonly kind: 'done'; readonly result: UpdateResult }
  | { readonly kind: 'held'; readonly name: string }
  | { readonly kind: 'failed'; readonly name: string; readonly error: AtomicError };

/**
 * Updates containers in the order of their names. After a failure it continues with the others.
 *
 * @param names undefined for all containers except those that are held
 * @throws INTERRUPTED, and errors that concern all containers
 */
export async function updateAll(
  host: Host,
  names: readonly string[] | undefined,
  request: UpdateRequest,
  source: SourceOptions,
): Promise<readonly UpdateOutcome[]> {
  await requireSystemAccess(host, 'containers update');
  const outcomes: UpdateOutcome[] = [];
  for (const name of names ?? (await listContainerNames(host))) {
    host.report({ kind: 'notice', text: `Checking container ${name}...` });
    if (names === undefined && (await isHeld(host, name))) {
      outcomes.push({ kind: 'held', name });
      continue;
    }
    try {
      outcomes.push({ kind: 'done', result: await updateContainer(host, name, request, source) });
    } catch (error) {
      if (!(error instanceof AtomicError) || endsAll.includes(error.code)) throw error;
      host.report({ kind: 'warning', text: error.message });
      outcomes.push({ kind: 'failed', name, error });
    }
  }
  return outcomes;
}

const endsAll: readonly string[] = ['INTERRUPTED', 'NOT_ROOT', 'NO_SYSTEMD'];
