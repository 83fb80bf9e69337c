/** Updates several containers: one after another, or together. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { SourceOptions } from '../../image/image.ts';
import { isHeld } from '../hold.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { listContainerNames, readContainer } from '../read-container.ts';
import type { UpdateRequest, UpdateResult } from './update-request.ts';
import { updateContainer, updateTogether } from './update-together.ts';

/** The result for a container that keeps its image; `imageId` is undefined when it cannot be read. */
type NotUpdated = { readonly name: string; readonly imageId: string | undefined } & (
  | { readonly outcome: 'held' }
  | { readonly outcome: 'failed'; readonly error: AtomicError }
  /** Another container of its group failed. */
  | { readonly outcome: 'kept'; readonly reason: string }
);

export type UpdateOutcome = UpdateResult | NotUpdated;

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
      outcomes.push({ outcome: 'held', name, imageId: await findImageId(host, name) });
      continue;
    }
    try {
      outcomes.push(await updateContainer(host, name, request, source));
    } catch (error) {
      if (!(error instanceof AtomicError) || endsAll.includes(error.code)) throw error;
      reportFailure(host, name, error);
      outcomes.push({ outcome: 'failed', name, imageId: await findImageId(host, name), error });
    }
  }
  return outcomes;
}

/**
 * Updates containers together: all of them, or none.
 *
 * @param names undefined for all containers except those that are held
 * @throws INTERRUPTED, and errors that are not about containers
 */
export async function updateAllTogether(
  host: Host,
  names: readonly string[] | undefined,
  request: UpdateRequest,
  source: SourceOptions,
): Promise<readonly UpdateOutcome[]> {
  await requireSystemAccess(host, 'containers update');
  const held: UpdateOutcome[] = [];
  const wanted: string[] = [];
  const all = names ?? (await listContainerNames(host));
  for (const name of all) {
    if (names !== undefined || !(await isHeld(host, name))) wanted.push(name);
    else held.push({ outcome: 'held', name, imageId: await findImageId(host, name) });
  }
  const outcomes = [...held, ...(await updateOrKeep(host, wanted, request, source))];
  return [...new Set(all)].flatMap((name) => outcomes.filter((outcome) => outcome.name === name));
}

async function updateOrKeep(
  host: Host,
  names: readonly string[],
  request: UpdateRequest,
  source: SourceOptions,
): Promise<readonly UpdateOutcome[]> {
  try {
    return await updateTogether(host, names, request, source);
  } catch (error) {
    if (!(error instanceof AtomicError) || endsAll.includes(error.code)) throw error;
    reportFailure(host, String(error.details?.culprit ?? ''), error);
    return describeGroup(host, names, error);
  }
}

/** An error without a culprit is about all of them. */
async function describeGroup(
  host: Host,
  names: readonly string[],
  error: AtomicError,
): Promise<readonly UpdateOutcome[]> {
  const culprit = names.find((name) => name === error.details?.culprit);
  const outcomes: UpdateOutcome[] = [];
  for (const name of names) {
    const imageId = await findImageId(host, name);
    if (culprit === undefined || culprit === name) outcomes.push({ outcome: 'failed', name, imageId, error });
    else outcomes.push({ outcome: 'kept', name, imageId, reason: `the update of ${culprit} failed` });
  }
  return outcomes;
}

/** Some errors are about an image or a file, and do not name the container. */
function reportFailure(host: Host, name: string, { message, hint }: AtomicError): void {
  const named = message.includes(name) ? message : `${name}: ${message}`;
  host.report({ kind: 'warning', text: hint === undefined ? named : `${named} (${hint})` });
}

async function findImageId(host: Host, name: string): Promise<string | undefined> {
  const state = await readContainer(host, name);
  return state.kind === 'installed' ? state.record.revision : undefined;
}

const endsAll: readonly string[] = ['INTERRUPTED', 'NOT_ROOT', 'NO_SYSTEMD'];
