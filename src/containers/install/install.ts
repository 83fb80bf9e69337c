import { AtomicError, addHint } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { readRuntime } from '../../host/runtime/runtime.ts';
import type { SourceOptions, StoredImage } from '../../image/image.ts';
import { formatProposal, proposeImages } from '../../image/propose-images.ts';
import { dropRegistryPrefix, parseSourceName } from '../../image/source-name.ts';
import { withReadableStore, withSharedStore } from '../../store/access/store-lock.ts';
import { findByReference, listStoredNames } from '../../store/find-image.ts';
import { mergeNamedImage } from '../../store/merge-image.ts';
import { nameSource, pullNamedImage, type RequestedImage } from '../../store/pull/pull.ts';
import { formatPrivileges } from '../consent/format-privileges.ts';
import type { AlreadyPresent, InstallOutcome, InstallPlan, InstallRequest } from '../container.ts';
import { withContainerLock } from '../container-lock.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { requireFreeNames } from '../prepare/free-names.ts';
import { type PreparedInstall, prepareInstall } from '../prepare/prepare-install.ts';
import { readPatches } from '../prepare/read-patches.ts';
import { readContainer } from '../read-container.ts';
import { recoverContainer, recoverOthers } from '../recovery/recover.ts';
import { buildDefaultName, type ContainerName, parseContainerName } from '../render/container-name.ts';
import { applyInstall } from './apply-install.ts';
import { comparePresent } from './compare-present.ts';

/** The plan of an install. */
type PlannedInstall = { readonly kind: 'planned'; readonly plan: InstallPlan } | AlreadyPresent;

type PreparedOrPresent = { readonly kind: 'ready'; readonly prepared: PreparedInstall } | AlreadyPresent;

/**
 * Plans an install, and changes nothing except that it pulls a missing image (`--display`, N-12).
 *
 * @throws as `installContainer`, up to its first change
 */
export async function planInstall(
  host: Host,
  request: InstallRequest,
  source: SourceOptions,
): Promise<PlannedInstall> {
  const subject = await nameInstall(host, request);
  await mergeNamedImage(host, subject.image.reference);
  const preparation = await withReadableStore(host, () => prepare(host, request, source, subject));
  if (preparation.kind === 'already-present') return preparation;
  const { plan, warnings } = preparation.prepared;
  for (const text of warnings) host.report({ kind: 'warning', text });
  return { kind: 'planned', plan };
}

/**
 * Installs a system container: enabled, not started (compatibility N-01). Pulls a missing image.
 *
 * After success, it is installed and synced. After a failure, nothing has changed except that an image may have been
 * pulled. After a crash, the next command that changes the container, or `recoverOperations`, undoes or finishes the
 * install.
 *
 * @throws NOT_ROOT, NO_SYSTEMD, BAD_REFERENCE, BAD_VALUE, TOOL_MISSING, FILE_CONFLICT, CONTAINER_DAMAGED, the errors of
 *   `pullImage`, `prepareInstall` and `applyInstall`
 */
export async function installContainer(
  host: Host,
  request: InstallRequest,
  source: SourceOptions,
): Promise<InstallOutcome> {
  const subject = await nameInstall(host, request);
  await recoverOthers(host, subject.name);
  return withContainerLock(host, subject.name, 'install', async () => {
    await recoverContainer(host, subject.name);
    await mergeNamedImage(host, subject.image.reference);
    // The lock prevents that a prune removes the image before `info` names it.
    return withSharedStore(host, async () => {
      const preparation = await prepare(host, request, source, subject);
      if (preparation.kind === 'already-present') return preparation;
      await applyInstall(host, preparation.prepared);
      for (const text of formatPrivileges(preparation.prepared.plan.asks))
        host.report({ kind: 'asks', text });
      return { kind: 'installed', plan: preparation.prepared.plan };
    });
  });
}

interface NamedInstall {
  readonly name: ContainerName;
  readonly image: RequestedImage;
  /** The image as typed, without the prefix of a source; for a file, the name in its content. */
  readonly imageName: string;
}

/** @throws NOT_ROOT, NO_SYSTEMD, BAD_REFERENCE, BAD_VALUE, and those of a source that cannot be read */
export async function nameInstall(
  host: Host,
  request: Pick<InstallRequest, 'name' | 'image'>,
): Promise<NamedInstall> {
  // An invalid command line is an error on every machine.
  const chosen = request.name === undefined ? undefined : parseContainerName(request.name);
  const source = parseSourceName(request.image);
  await requireSystemAccess(host, 'install');
  const image = await nameSource(host, { written: request.image, source });
  const { location, reference } = image;
  const imageName =
    location.kind === 'registry' ? dropRegistryPrefix(request.image) : reference.replace(/:latest$/, '');
  return { name: chosen ?? buildDefaultName(image.name), image, imageName };
}

async function prepare(
  host: Host,
  request: InstallRequest,
  source: SourceOptions,
  { name, image: named, imageName }: NamedInstall,
): Promise<PreparedOrPresent> {
  const state = await readContainer(host, name);
  if (state.kind === 'installed') {
    const differences = comparePresent(state.record, request, imageName, named.reference);
    return { kind: 'already-present', name, differences };
  }
  if (state.kind === 'damaged') throw buildDamaged(name, state.reason);
  // Two programs that do not depend on each other: systemctl and the runtime. A name that is taken is reported first.
  const [names, found] = await Promise.allSettled([
    requireFreeNames(host, name),
    readRuntime(host, request.runtime),
  ]);
  if (names.status === 'rejected') throw names.reason;
  if (found.status === 'rejected') throw found.reason;
  const runtime = found.value;
  const image = await readImageToInstall(host, request, named, source);
  throwIfInterrupted(host);
  const patches = await readPatches(host, name);
  const prepared = await prepareInstall(host, {
    ...{ request, name, image, imageName, runtime, patches },
    number: 0,
  });
  return { kind: 'ready', prepared };
}

/** Whether an image is read again although it is stored: the author of an image has just built the file. */
export function isReadAgain({ location: { kind } }: RequestedImage): boolean {
  return kind !== 'registry' && kind !== 'store';
}

async function readImageToInstall(
  host: Host,
  request: InstallRequest,
  named: RequestedImage,
  source: SourceOptions,
): Promise<StoredImage> {
  const stored = findByReference(host, named.name);
  if (stored === undefined) return pullMissing(host, named, source);
  const isPulled = request.pulls === true || isReadAgain(named);
  return isPulled ? (await pullNamedImage(host, named, source)).image : stored;
}

/** Proposes stored images with similar names before the pull, and again when the pull fails. */
async function pullMissing(host: Host, named: RequestedImage, source: SourceOptions): Promise<StoredImage> {
  const { reference, location } = named;
  const { registry, repository } = named.name;
  const stored = location.kind === 'registry' ? listStoredNames(host.locations.repository) : [];
  // The same name in another registry names another image; it is not a typing error.
  const similar = proposeImages(reference, stored).filter(
    (name) => registry === undefined || name.startsWith(`${registry}/`),
  );
  const proposal = formatProposal(similar);
  // Another version of a stored image is not a typing error.
  const hasOthers = stored.some((name) => name.startsWith(`${repository}:`));
  if (proposal !== undefined && !hasOthers) {
    host.report({ kind: 'warning', text: `${reference} is not stored. ${proposal}` });
  }
  try {
    return (await pullNamedImage(host, named, source)).image;
  } catch (error) {
    // When the registry answers, its error lists the tags.
    const isAnswered = hasOthers && error instanceof AtomicError && error.code === 'IMAGE_NOT_FOUND';
    throw proposal === undefined || isAnswered ? error : addHint(error, proposal);
  }
}

function buildDamaged(name: string, reason: string): AtomicError {
  return new AtomicError('CONTAINER_DAMAGED', `Cannot install ${name}: ${reason}`, {
    hint: `Remove what is left of it with \`atomic uninstall ${name}\`.`,
  });
}
