/** Gives installed containers new images or new values: all of them, or none. */
import { AtomicError, addDetails, wrapError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import type { SourceOptions } from '../../image/image.ts';
import { withSharedStore } from '../../store/access/store-lock.ts';
import { withContainerLocks } from '../container-lock.ts';
import { requireNotHeld } from '../hold.ts';
import { reportPlacedFiles } from '../hostfiles/exchange-host-files.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { recoverContainer, recoverOthers } from '../recovery/recover.ts';
import { rememberRefused } from '../refused-image.ts';
import { adviceForExistingName, type ContainerName, parseContainerName } from '../render/container-name.ts';
import { switchDeployments } from '../switch/switch-deployments.ts';
import type { Switch } from '../switch/switch-journal.ts';
import { buildUpdates, planSwitches } from './build-update.ts';
import { type ChosenImage, chooseImage } from './choose-image.ts';
import { type PreparedUpdate, prepareUpdate } from './prepare-update.ts';
import { type CurrentContainer, readCurrent } from './read-current.ts';
import type { UpdateRequest, UpdateResult } from './update-request.ts';

interface PreparedSwitch {
  /** The results for containers with nothing to do. */
  readonly results: readonly UpdateResult[];
  readonly updates: readonly PreparedUpdate[];
  /** Undefined when nothing is to be changed. */
  readonly change: Switch | undefined;
}

/**
 * Updates containers: builds new deployments beside the running ones, then switches to all of them. Containers with nothing
 * to do do not change.
 *
 * After success, the new deployments are up, or there was nothing to do. After a failure or an interruption, all old
 * deployments are active and the units that ran before run; when a service was not up, its image is recorded.
 *
 * @returns the results, in the order of the names
 * @throws NOT_ROOT, NO_SYSTEMD, BAD_VALUE, BAD_REFERENCE, CONTAINER_NOT_FOUND, CONTAINER_DAMAGED, IMAGE_NOT_FOUND,
 *   HELD, FILE_CONFLICT, CONSENT_NEEDED, the errors of `prepareInstall` and of a pull; ROLLED_BACK {phase, log} when
 *   a service was not up; ROLLBACK_FAILED when an old one is not up either. `details.culprit` names the container that the
 *   error is about, if it is one
 */
export async function updateTogether(
  host: Host,
  written: readonly string[],
  request: UpdateRequest,
  source: SourceOptions,
): Promise<readonly UpdateResult[]> {
  const names = [...new Set(written.map((name) => parseContainerName(name, adviceForExistingName)))];
  await requireSystemAccess(host, 'containers update');
  await recoverOthers(host, ...names);
  return withContainerLocks(host, names, 'containers update', async () => {
    for (const name of names) await recoverContainer(host, name, names);
    const chosen: Chosen[] = [];
    for (const name of names) {
      chosen.push(await blame(name, async () => choose(host, name, request, source)));
    }
    const { results, updates, change } = await withSharedStore(host, () => prepare(host, chosen, request));
    if (change !== undefined) await changeAll(host, change, updates, request);
    const outcome = request.isPlan ? 'planned' : 'updated';
    const all = [
      ...results,
      ...updates.map((update) => ({ outcome, ...describe(update, request) }) as const),
    ];
    return names.flatMap((name) => all.filter((result) => result.name === name));
  });
}

interface Chosen {
  readonly current: CurrentContainer;
  readonly image: ChosenImage;
}

async function choose(
  host: Host,
  name: ContainerName,
  request: UpdateRequest,
  source: SourceOptions,
): Promise<Chosen> {
  const current = await readCurrent(host, name);
  await requireNotHeld(host, name);
  return { current, image: await chooseImage(host, current, request, source) };
}

/** Plans the updates, asks for consent, and builds the new deployments. */
async function prepare(
  host: Host,
  chosen: readonly Chosen[],
  request: UpdateRequest,
): Promise<PreparedSwitch> {
  const results: UpdateResult[] = [];
  const updates: PreparedUpdate[] = [];
  for (const { current, image } of chosen) {
    const found = await blame(current.name, () => prepareUpdate(host, current, image, request));
    if ('outcome' in found) results.push(found);
    else updates.push(found);
  }
  requireDistinctFiles(updates);
  if (request.isPlan) return { results, updates, change: undefined };
  for (const { current, widening } of updates) {
    await blame(current.name, () => request.consent(current.name, widening));
  }
  throwIfInterrupted(host);
  const [first, ...others] = await planSwitches(host, updates);
  if (first === undefined) return { results, updates, change: undefined };
  const change: Switch = { operation: 'update', members: [first, ...others] };
  await buildUpdates(host, change, updates);
  return { results, updates, change };
}

/** During the planning of a container, the files of the others are not on the host yet. */
function requireDistinctFiles(updates: readonly PreparedUpdate[]): void {
  const owners = new Map<string, string>();
  for (const { current, prepared } of updates) {
    for (const path of prepared.plan.record.hostFiles.paths) {
      const owner = owners.get(path);
      if (owner !== undefined) {
        throw buildShared(current.name, path, owner);
      }
      owners.set(path, current.name);
    }
  }
}

function buildShared(name: string, path: string, owner: string): AtomicError {
  return new AtomicError(
    'FILE_CONFLICT',
    `updating ${name}: ${toPrintable(path)} would be a file of the container ${owner}, too`,
    {
      hint: 'Update one of them alone first, or give the file another name with --set if an image has a variable for it.',
      details: { path: toPrintable(path), container: owner, culprit: name },
    },
  );
}

async function changeAll(
  host: Host,
  change: Switch,
  updates: readonly PreparedUpdate[],
  request: UpdateRequest,
): Promise<void> {
  try {
    const health = request.starts ? updates.map((update) => update.health) : [];
    const exchanged = await switchDeployments(host, change, health);
    for (const { current, prepared } of updates) {
      const result = exchanged.get(current.name);
      if (result !== undefined) reportPlacedFiles(host, prepared.plan, result);
    }
  } catch (error) {
    for (const update of updates) await rememberTakenBack(host, update, error);
    throw wrapError(error, `updating ${updates.map(({ current }) => current.name).join(', ')}`);
  }
}

function describe(
  { current, prepared: { plan }, widening, running, state }: PreparedUpdate,
  { starts }: UpdateRequest,
) {
  const { name, active, other, record } = current;
  return {
    ...{ name, deployment: other },
    from: { deployment: active, image: record.image, imageId: record.revision },
    ...{ plan, widening, state, restarted: starts ? running : [] },
  };
}

/** Records the image with which the service was not up. */
async function rememberTakenBack(
  host: Host,
  { current: { name, record }, prepared: { plan } }: PreparedUpdate,
  failure: unknown,
): Promise<void> {
  const id = plan.record.revision;
  if (!(failure instanceof AtomicError) || id === record.revision) return;
  const wasDown = failure.code === 'ROLLED_BACK' || failure.code === 'ROLLBACK_FAILED';
  // Without a phase, another step failed before the new service was to be up.
  if (!wasDown || failure.details?.phase === undefined || failure.details.culprit !== name) return;
  const time = new Date().toISOString();
  // The message also has the end of the log.
  const reason = String(failure.details?.reason ?? failure.message);
  try {
    await rememberRefused(host, name, { id, reason, time, log: readLogLines(failure) });
  } catch (error) {
    // On a full disk, for example. It must not replace the error that says why the service was not up.
    if (!(error instanceof AtomicError)) throw error;
    host.report({ kind: 'warning', text: `${name}: the image is tried again: ${error.message}` });
  }
}

function readLogLines({ details }: AtomicError): readonly string[] {
  return Array.isArray(details?.log) ? details.log.map(String) : [];
}

/** Adds the name of the container to an error that is about it. */
async function blame<T>(name: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw addDetails(error, { culprit: name });
  }
}

/** Updates one container. @throws as `updateTogether` */
export async function updateContainer(
  host: Host,
  name: string,
  request: UpdateRequest,
  source: SourceOptions,
): Promise<UpdateResult> {
  const [result] = await updateTogether(host, [name], request, source);
  if (result === undefined) throw new Error(`an update of ${name} has no result`);
  return result;
}
