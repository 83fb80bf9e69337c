/** A new image or new values for an installed container. */
import { AtomicError, wrapError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { requireWritable } from '../../host/files/durable-files.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { shieldFromInterruption, throwIfInterrupted } from '../../host/interruption.ts';
import { captureProgram } from '../../host/run-program.ts';
import { readRuntime } from '../../host/runtime/runtime.ts';
import { isServiceEnabled } from '../../host/systemd/systemctl.ts';
import type { SourceOptions, StoredImage } from '../../image/image.ts';
import { dropRegistryPrefix } from '../../image/source-name.ts';
import { withSharedStore } from '../../store/access/store-lock.ts';
import { findImage } from '../../store/find-image.ts';
import { mergeNamedImage } from '../../store/merge-image.ts';
import { nameSource, pullNamedImage } from '../../store/pull/pull.ts';
import { listWidening, type Privilege } from '../consent/privilege.ts';
import type { InstallPlan } from '../container.ts';
import { withContainerLock } from '../container-lock.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  type DeploymentPaths,
} from '../deployment.ts';
import { requireNotHeld } from '../hold.ts';
import { reportPlacedFiles } from '../hostfiles/exchange-host-files.ts';
import { buildDeployment } from '../install/build-deployment.ts';
import { type SwitchJournal, writeJournal } from '../journal.ts';
import { requireNotShown } from '../mounted-deployments.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { checkHostFolders, listHostWrites } from '../prepare/check-host-folders.ts';
import { requireFreeTmpfiles } from '../prepare/free-names.ts';
import { type PreparedInstall, prepareInstall } from '../prepare/prepare-install.ts';
import { isFolder } from '../read-container.ts';
import { recoverContainer, recoverOthers } from '../recovery/recover.ts';
import { findRefused, rememberRefused } from '../refused-image.ts';
import { adviceForExistingName, parseContainerName } from '../render/container-name.ts';
import { changeSetValues, listSetValues, type ValueChange } from '../render/values/value-origins.ts';
import { buildRollbackFailed } from '../rollback-failed.ts';
import { readCopies } from '../service/activate.ts';
import type { HealthRequest } from '../switch/await-health.ts';
import { recoverSwitch } from '../switch/recover-switch.ts';
import { switchDeployment } from '../switch/switch-deployment.ts';
import { chooseHealth, type HealthChoice } from './choose-health.ts';
import { readAsks } from './read-asks.ts';
import {
  type CurrentContainer,
  listRunning,
  readCurrent,
  requireSameKind,
  requireUnchangedFiles,
} from './read-current.ts';
import { readOrigins } from './read-origins.ts';

export interface UpdateRequest extends HealthChoice, ValueChange {
  readonly name: string;
  /** Another image, as a person wrote it. */
  readonly rebase: string | undefined;
  /** Fetches the image from its source first. */
  readonly pulls: boolean;
  /** Starts again what ran; else the service stays stopped. */
  readonly starts: boolean;
  /** Tries an image again that was taken back before. */
  readonly retries: boolean;
  /** Writes what does not replace a file of the host beside it. */
  readonly keepsNew: boolean;
  /** Only says what would be done. */
  readonly isPlan: boolean;
  /** Asks for consent when the new deployment asks for more of the host. @throws CONSENT_NEEDED */
  readonly consent: (name: string, widening: readonly Privilege[]) => Promise<void>;
}

export type UpdateResult =
  | { readonly outcome: 'up-to-date'; readonly name: string; readonly imageId: string }
  /** The image was taken back before, and is not tried again. */
  | { readonly outcome: 'refused'; readonly name: string; readonly imageId: string; readonly reason: string }
  | {
      readonly outcome: 'planned' | 'updated';
      readonly name: string;
      readonly from: { readonly deployment: number; readonly image: string; readonly imageId: string };
      readonly plan: InstallPlan;
      /** What the new deployment asks of the host that the old one does not. */
      readonly widening: readonly Privilege[];
      /** The units that were stopped and started. */
      readonly restarted: readonly string[];
    };

interface PreparedUpdate {
  readonly current: CurrentContainer;
  readonly prepared: PreparedInstall;
  readonly widening: readonly Privilege[];
  readonly health: HealthRequest;
  readonly running: readonly string[];
}

/**
 * Updates a container: a new deployment beside the running one, then the switch to it.
 *
 * Success means that the new deployment is up, or that there was nothing to do. Every failure and every interruption means
 * that the old deployment is there, with what ran; the image is remembered when its service was not up.
 *
 * @throws NOT_ROOT, NO_SYSTEMD, BAD_VALUE, BAD_REFERENCE, CONTAINER_NOT_FOUND, CONTAINER_DAMAGED, IMAGE_NOT_FOUND,
 *   HELD, FILE_CONFLICT, CONSENT_NEEDED, what `prepareInstall` and a pull throw; ROLLED_BACK {phase, log} when the service was not
 *   up; ROLLBACK_FAILED when the old one is not up either
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
      return { ...found, journal: await build(host, found) };
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

/** The image of the name that the container has, or that it gets. What is stored is taken, unless a pull is wanted. */
async function chooseImage(
  host: Host,
  { name, record }: CurrentContainer,
  { rebase, pulls }: UpdateRequest,
  source: SourceOptions,
): Promise<{ readonly image: StoredImage; readonly imageName: string }> {
  const written = rebase ?? record.image;
  const named = await nameSource(host, written);
  const isRegistry = named.location.kind === 'registry';
  const imageName = isRegistry ? dropRegistryPrefix(written) : named.reference.replace(/:latest$/, '');
  const found = await findImage(host, named.reference);
  // A file has no newer version unless the person names it again.
  const isPulled =
    found === undefined ? rebase !== undefined || pulls : pulls && (isRegistry || rebase !== undefined);
  if (isPulled) return { image: (await pullNamedImage(host, named, source)).image, imageName };
  if (found === undefined) {
    throw new AtomicError('IMAGE_NOT_FOUND', `updating ${name}: Cannot find image ${named.reference}.`, {
      hint: `Fetch it: atomic containers update --pull ${name}`,
      details: { name, image: named.reference },
    });
  }
  await mergeNamedImage(host, named.reference);
  return { image: (await findImage(host, named.reference)) ?? found, imageName };
}

async function prepareUpdate(
  host: Host,
  current: CurrentContainer,
  { image, imageName }: { readonly image: StoredImage; readonly imageName: string },
  request: UpdateRequest,
): Promise<PreparedUpdate | (UpdateResult & { readonly outcome: 'up-to-date' | 'refused' })> {
  const { name, record, other } = current;
  const before = listSetValues(record.values, readOrigins(host, record));
  const values = changeSetValues(before, request);
  const isSameImage = image.id === record.revision;
  if (isSameImage && imageName === record.image && isSameValues(before, values)) {
    return { outcome: 'up-to-date', name, imageId: image.id };
  }
  const refused = request.retries || isSameImage ? undefined : await findRefused(host, name, image.id);
  if (refused !== undefined) {
    return { outcome: 'refused', name, imageId: image.id, reason: refused.reason };
  }
  await requireUnchangedFiles(host, current);
  await requireNotShown(host, name);
  const runtime = await readRuntime(host, record.runtime);
  const prepared = await prepareInstall(host, {
    ...{ request: { image: imageName, values, keepsNew: request.keepsNew }, name, image, imageName, runtime },
    ...{ number: other, previous: record },
  });
  const { plan } = prepared;
  requireSameKind(current, plan.record);
  await requireFreeFiles(host, current, plan);
  return {
    ...{ current, prepared },
    widening: listWidening(await readAsks(host, current), plan.asks),
    health: await chooseHealth(host, name, plan.record, request),
    running: await listRunning(host, current),
  };
}

/** A tmpfiles.d file that the old deployment does not have must not take the place of one of the host. */
async function requireFreeFiles(host: Host, { name, active }: CurrentContainer, { files }: InstallPlan) {
  const { tmpfiles } = buildContainerPaths(host.locations, name);
  if (!files.some(({ path }) => path === tmpfiles)) return;
  const old = await readCopies(buildDeploymentFolder(host.locations, name, active), name);
  if (old.tmpfiles === undefined) await requireFreeTmpfiles(host, name);
}

/** The new deployment, whole and on the disk under a dot-name. */
async function build(
  host: Host,
  { current, prepared: { plan, warnings }, running }: PreparedUpdate,
): Promise<SwitchJournal> {
  const { name, active: from, other: to, record } = current;
  const journal: SwitchJournal = {
    ...{ operation: 'update', container: name, from, to, phase: 'building', running },
    isEnabled: record.hasContainerService && (await isServiceEnabled(host, name)),
    hadPrevious: await isFolder(buildDeploymentFolder(host.locations, name, to)),
  };
  for (const folder of [host.locations.units, host.locations.tmpfiles]) await requireWritable(folder);
  await checkHostFolders(listHostWrites(plan));
  // Without a journal it is what a person has left by removing the journal of a killed update.
  await removeTree(buildDeploymentFolder(host.locations, name, to, 'previous'));
  await writeJournal(host, journal);
  try {
    await buildDeployment(host, plan, to, warnings);
    await checkUnit(
      host,
      name,
      buildDeploymentPaths(buildDeploymentFolder(host.locations, name, to, 'new'), name),
    );
  } catch (failure) {
    throw await discard(shieldFromInterruption(host), journal, wrapError(failure, `updating ${name}`));
  }
  return journal;
}

/** @returns what to throw, after the half-made deployment is gone */
async function discard(host: Host, journal: SwitchJournal, failure: unknown): Promise<unknown> {
  try {
    await recoverSwitch(host, journal);
    return failure;
  } catch (undoFailure) {
    return buildRollbackFailed(`updating ${journal.container}`, failure, undoFailure);
  }
}

/** systemd would refuse the unit only when it is too late. */
async function checkUnit(host: Host, name: string, { unitCopy }: DeploymentPaths): Promise<void> {
  if (!(await isNameTaken(unitCopy))) return;
  const { exitCode, stderrTail } = await captureProgram(host, [
    ...['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', unitCopy],
  ]);
  if (exitCode === 0) return;
  throw new AtomicError('UNIT_FAILED', `${name}.service: ${toPrintable(stderrTail.trim())}`, {
    hint: 'It comes from service.template in /exports of the image, and the --set values.',
    details: { phase: 'build' },
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

/** Remembers an image whose service was not up. */
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

function isSameValues(
  first: Readonly<Record<string, string>>,
  second: Readonly<Record<string, string>>,
): boolean {
  const sorted = (values: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(values).sort());
  return sorted(first) === sorted(second);
}
