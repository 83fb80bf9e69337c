/** Decides whether a container has a newer image, from the answers of the store and the registry (pure). */
import type { RemoteStatus } from '../../image/verified-image.ts';
import type { RefusedImage } from '../refused-image.ts';

/** The facts about the image of one container. */
export interface ImageNews {
  readonly name: string;
  /** The name of the image that the container records. */
  readonly image: string;
  /** Id of the image that the container was made from, hex. */
  readonly imageId: string;
  /** Id of the image with that name in the store; undefined when the store has none. */
  readonly storedId: string | undefined;
  readonly registry: RemoteStatus;
  readonly isHeld: boolean;
  /** The image with which the service did not come up; undefined when there is none. */
  readonly refused: RefusedImage | undefined;
}

interface NewerImage {
  /** Hex. */
  readonly id: string;
  /** `registry` when it must be fetched first. */
  readonly where: 'store' | 'registry';
}

type CheckOutcome = 'up-to-date' | 'newer' | 'held' | 'refused' | 'unknown';

export interface CheckedImage extends ImageNews {
  readonly outcome: CheckOutcome;
  readonly newer: NewerImage | undefined;
  /** Why the outcome is `refused` or `unknown`; otherwise empty. */
  readonly reason: string;
}

/** A held container and a container whose newer image was refused have a newer image, but `update --all` skips them. */
export function judgeNews(news: ImageNews): CheckedImage {
  const newer = findNewer(news);
  const { refused, isHeld } = news;
  if (newer !== undefined) {
    if (refused?.id === newer.id) return { ...news, newer, outcome: 'refused', reason: refused.reason };
    return { ...news, newer, outcome: isHeld ? 'held' : 'newer', reason: '' };
  }
  const silence = explainSilence(news);
  return silence === undefined
    ? { ...news, newer, outcome: 'up-to-date', reason: '' }
    : { ...news, newer, outcome: 'unknown', reason: silence };
}

/** The reason why the image of the registry is unknown; undefined when it is known. */
export function explainSilence({ registry }: ImageNews): string | undefined {
  if (registry.kind === 'unknown') return registry.reason;
  return registry.kind === 'gone' ? 'the name no longer exists in its registry' : undefined;
}

/** An image of the registry is newer than one of the store. */
function findNewer({ imageId, storedId, registry }: ImageNews): NewerImage | undefined {
  const remoteId = registry.kind === 'newer' ? registry.digest.replace(/^sha256:/, '') : undefined;
  if (remoteId !== undefined && remoteId !== imageId) return { id: remoteId, where: 'registry' };
  if (storedId !== undefined && storedId !== imageId) return { id: storedId, where: 'store' };
  return undefined;
}
