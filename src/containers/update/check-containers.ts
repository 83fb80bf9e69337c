/** Finds the containers with a newer image. It asks registries only for digests, and changes nothing. */

import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { isChecksum } from '../../image/checksum.ts';
import type { SourceOptions, StoredImage } from '../../image/image.ts';
import { formatReference } from '../../image/reference.ts';
import { parseStoredName } from '../../image/source-name.ts';
import type { RemoteStatus } from '../../image/verified-image.ts';
import { findByReference } from '../../store/find-image.ts';
import { compareWithRegistry } from '../../store/verify/compare-remote.ts';
import { buildUnnamedTarget, readTarget, type VerifyTarget } from '../../store/verify/verify-targets.ts';
import type { DeploymentRecord } from '../container.ts';
import { isHeld } from '../hold.ts';
import { requireRoot } from '../preconditions.ts';
import { buildContainerNotFound, listContainerNames, readContainer } from '../read-container.ts';
import { findRefused } from '../refused-image.ts';
import { adviceForExistingName, parseContainerName } from '../render/container-name.ts';
import { type CheckedImage, judgeNews } from './newer-image.ts';

export type CheckedContainer =
  | { readonly kind: 'checked'; readonly checked: CheckedImage }
  | { readonly kind: 'damaged'; readonly name: string; readonly reason: string };

/** Requests run at the same time, because the machine has nothing to do while it waits for a registry. */
const QUESTIONS_AT_ONCE = 4;

interface CheckTarget {
  readonly name: string;
  readonly record: DeploymentRecord;
  readonly stored: StoredImage | undefined;
  /** The request to the registry; a text gives the reason why none is possible. */
  readonly target: VerifyTarget | string;
}

/**
 * Checks containers in the given order. For an image of several containers there is one request. A registry that does
 * not answer and a damaged container are results, not errors.
 *
 * @param names empty for all containers
 * @throws NOT_ROOT, BAD_VALUE, CONTAINER_NOT_FOUND, TOOL_MISSING, INTERRUPTED
 */
export async function checkContainers(
  host: Host,
  names: readonly string[],
  source: SourceOptions,
): Promise<readonly CheckedContainer[]> {
  requireRoot(host, 'check');
  const wanted = names.length === 0 ? await listContainerNames(host) : parseNames(names);
  const read = await Promise.all(wanted.map((name) => readInstalled(host, name)));
  const statuses = await askRegistries(
    host,
    read.flatMap((found) => ('target' in found && typeof found.target !== 'string' ? [found.target] : [])),
    source,
  );
  return Promise.all(read.map((found) => describe(host, found, statuses)));
}

function parseNames(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => parseContainerName(name, adviceForExistingName)))];
}

async function readInstalled(
  host: Host,
  name: string,
): Promise<CheckTarget | (CheckedContainer & { kind: 'damaged' })> {
  const state = await readContainer(host, name);
  if (state.kind === 'absent') throw await buildContainerNotFound(host, name);
  if (state.kind === 'damaged') return { kind: 'damaged', name, reason: state.reason };
  const { record } = state;
  try {
    const reference = parseStoredName(record.image);
    const stored = findByReference(host, reference);
    const target =
      stored === undefined
        ? buildUnnamedTarget(
            host,
            formatReference(reference),
            isChecksum(record.ostreeCommit) ? record.ostreeCommit : undefined,
          )
        : readTarget(host, stored.reference);
    return { name, record, stored, target };
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    return { name, record, stored: undefined, target: error.message };
  }
}

/** @returns the answers, by the name of the image */
async function askRegistries(
  host: Host,
  targets: readonly VerifyTarget[],
  source: SourceOptions,
): Promise<ReadonlyMap<string, RemoteStatus>> {
  const waiting = new Map(targets.map((target) => [target.reference, target]));
  const questions = waiting.values();
  const statuses = new Map<string, RemoteStatus>();
  const askInTurn = async () => {
    for (const target of questions) {
      statuses.set(target.reference, await compareWithRegistry(host, target, source));
    }
  };
  await Promise.all(Array.from({ length: QUESTIONS_AT_ONCE }, askInTurn));
  return statuses;
}

async function describe(
  host: Host,
  found: CheckTarget | (CheckedContainer & { kind: 'damaged' }),
  statuses: ReadonlyMap<string, RemoteStatus>,
): Promise<CheckedContainer> {
  if ('kind' in found) return found;
  const { name, record, stored, target } = found;
  const registry: RemoteStatus | undefined =
    typeof target === 'string' ? { kind: 'unknown', reason: target } : statuses.get(target.reference);
  if (registry === undefined) throw new Error(`no answer for ${name}`);
  const news = {
    ...{ name, image: record.image, imageId: record.revision, storedId: stored?.id, registry },
    ...{ isHeld: await isHeld(host, name), refused: await findRefused(host, name) },
  };
  return { kind: 'checked', checked: judgeNews(news) };
}
