/** Gives an installed container a new image or new values. */
import { AtomicError, wrapError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import type { SourceOptions } from '../../image/image.ts';
import { withSharedStore } from '../../store/access/store-lock.ts';
import { withContainerLock } from '../container-lock.ts';
import { requireNotHeld } from '../hold.ts';
import { reportPlacedFiles } from '../hostfiles/exchange-host-files.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { recoverContainer, recoverOthers } from '../recovery/recover.ts';
import { rememberRefused } from '../refused-image.ts';
import { adviceForExistingName, parseContainerName } from '../render/container-name.ts';
import { switchDeployment } from '../switch/switch-deployment.ts';
import { buildUpdate } from './build-update.ts';
import { chooseImage } from './choose-image.ts';
import { type PreparedUpdate, prepareUpdate } from './prepare-update.ts';
import { readCurrent } from './read-current.ts';
import type { UpdateRequest, UpdateResult } from './update-request.ts';

/**
 * Updates a container: builds a new deployment beside the running one, then switches to it.
 *
 * After success, the new deployment is up, or there was nothing to do. After a failure or an interruption, the old
 * deployment is active and the units that ran before run; when the service was not up, the image is recorded.
 *
 * @throws NOT_ROOT, NO_SYSTEMD, BAD_VALUE, BAD_REFERENCE, CONTAINER_NOT_FOUND, CONTAINER_DAMAGED, IMAGE_NOT_FOUND,
 *   HELD, FILE_CONFLICT, CONSENT_NEEDED, the errors of `prepareInstall` and of a pull; ROLLED_BACK {phase, log} when
 *   the service was not up; ROLLBACK_FAILED when the old service is not up either
 */
export async function updateContainer(
  host: Host,
  request: UpdateRequest,
  source: SourceOptions,
): Promise<UpdateResult> {
  const name = parseContainerName(request.name, adviceForExistingName);
  await requireSystemAccess(host, 'containers update');
  await recoverOthers(host, name);
  return withContainerLock(host, name, 'containers update', async () => {
    await recoverContainer(host, name);
    const current = await readCurrent(host, name);
    await requireNotHeld(host, name);
    const image = await chooseImage(host, current, request, source);
    const preparation = await withSharedStore(host, async () => {
      const found = await prepareUpdate(host, current, image, request);
      if ('outcome' in found || request.isPlan) return found;
      await request.consent(name, found.widening);
      throwIfInterrupted(host);
      return { ...found, journal: await buildUpdate(host, found) };
    });
    if ('outcome' in preparation) return preparation;
    if (!('journal' in preparation)) {
      return { outcome: 'planned', ...describe(preparation, request, preparation.running) };
    }
    const { journal } = preparation;
    try {
      const health = request.starts ? preparation.health : undefined;
      reportPlacedFiles(host, preparation.prepared.plan, await switchDeployment(host, journal, health));
    } catch (error) {
      await rememberTakenBack(host, preparation, error);
      throw wrapError(error, `updating ${name}`);
    }
    return { outcome: 'updated', ...describe(preparation, request, journal.running) };
  });
}

function describe(
  { current, prepared: { plan }, widening }: PreparedUpdate,
  { starts }: UpdateRequest,
  running: readonly string[],
) {
  const { name, active, record } = current;
  return {
    name,
    from: { deployment: active, image: record.image, imageId: record.revision },
    ...{ plan, widening, restarted: starts ? running : [] },
  };
}

/** Records the image with which the service was not up. */
async function rememberTakenBack(
  host: Host,
  { current: { name, record }, prepared: { plan } }: PreparedUpdate,
  failure: unknown,
): Promise<void> {
  const id = plan.record.revision;
  if (!(failure instanceof AtomicError) || failure.code !== 'ROLLED_BACK' || id === record.revision) return;
  const time = new Date().toISOString();
  await rememberRefused(host, name, { id, reason: failure.message, time, log: readLogLines(failure) });
}

function readLogLines({ details }: AtomicError): readonly string[] {
  return Array.isArray(details?.log) ? details.log.map(String) : [];
}
