/** Fetches the newer images of containers. No container changes. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { SourceOptions } from '../../image/image.ts';
import { pullImage } from '../../store/pull/pull.ts';
import { updateImage } from '../../store/pull/update-image.ts';
import { type CheckedContainer, checkContainers } from './check-containers.ts';
import { type CheckedImage, explainSilence } from './newer-image.ts';

export type FetchOutcome =
  /** `present`: the store has the image that `containers update` would use. */
  | {
      readonly outcome: 'fetched' | 'present' | 'held' | 'refused';
      readonly name: string;
      readonly image: string;
      readonly imageId: string;
    }
  | { readonly outcome: 'failed'; readonly name: string; readonly reason: string };

/**
 * Fetches the newer images that registries have for containers. An image of several containers is fetched once. After
 * an image that cannot be fetched, the others are fetched.
 *
 * @param names empty for all containers, except those that are held
 * @throws as `checkContainers`
 */
export async function fetchImages(
  host: Host,
  names: readonly string[],
  source: SourceOptions,
): Promise<readonly FetchOutcome[]> {
  const pulls = new Map<string, Promise<string>>();
  const outcomes: FetchOutcome[] = [];
  for (const container of await checkContainers(host, names, source)) {
    const outcome = await fetchOne(host, container, { skipsHeld: names.length === 0, source, pulls });
    if (outcome.outcome === 'failed') {
      host.report({ kind: 'warning', text: `${outcome.name}: ${outcome.reason}` });
    }
    outcomes.push(outcome);
  }
  return outcomes;
}

interface FetchContext {
  readonly skipsHeld: boolean;
  readonly source: SourceOptions;
  /** Ids of the fetched images, by the name of the image. */
  readonly pulls: Map<string, Promise<string>>;
}

async function fetchOne(
  host: Host,
  container: CheckedContainer,
  { skipsHeld, source, pulls }: FetchContext,
): Promise<FetchOutcome> {
  if (container.kind === 'damaged') {
    return { outcome: 'failed', name: container.name, reason: container.reason };
  }
  const { name, image, imageId, newer, outcome, isHeld } = container.checked;
  const silence = explainSilence(container.checked);
  // The registry may have a newer image than the newer one in the store.
  if (silence !== undefined && !(isHeld && skipsHeld)) return { outcome: 'failed', name, reason: silence };
  if (newer === undefined) return { outcome: 'present', name, image, imageId };
  if (outcome === 'refused' || (outcome === 'held' && skipsHeld)) {
    return { outcome, name, image, imageId: newer.id };
  }
  if (newer.where === 'store') return { outcome: 'present', name, image, imageId: newer.id };
  try {
    const pull = pulls.get(image) ?? fetchImage(host, container.checked, source);
    pulls.set(image, pull);
    return { outcome: 'fetched', name, image, imageId: await pull };
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
    return { outcome: 'failed', name, reason: error.message };
  }
}

/** @returns the id of the image in the store after the fetch */
async function fetchImage(
  host: Host,
  { image, storedId }: CheckedImage,
  source: SourceOptions,
): Promise<string> {
  if (storedId === undefined) return (await pullImage(host, image, source)).image.id;
  return (await updateImage(host, image, source)).after;
}
