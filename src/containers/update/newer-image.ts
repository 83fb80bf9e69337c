/** Whether a container has a newer image, from what the store and the registry know (pure). */
import type { RemoteStatus } from '../../image/verified-image.ts';
import type { RefusedImage } from '../refused-image.ts';

/** What is known of the image of one container. */
export interface ImageNews {
  readonly name: string;
  /** The name of the image, as the container has it. */
  readonly image: string;
  /** Id of the image that the container was made from, hex. */
  readonly imageId: string;
  /** Id of the image that the store has under that name; undefined when it has none. */
  readonly storedId: string | undefined;
  readonly registry: RemoteStatus;
  readonly isHeld: boolean;
  /** The image whose service did not come up, when there is one. */
  readonly refused: RefusedImage | undefined;
}

export interface NewerImage {
  /** Hex. */
  readonly id: string;
  /** `registry` when it has to be fetched first. */
  readonly where: 'store' | 'registry';
}

export type CheckOutcome = 'up-to-date' | 'newer' | 'held' | 'refused' | 'unknown';

export interface CheckedImage extends ImageNews {
  readonly outcome: CheckOutcome;
  readonly newer: NewerImage | undefined;
  /** Why it is `refused` or `unknown`; else empty. */
  readonly reason: string;
}

/** A held container and one whose newer image was refused have news, but an update of all leaves them alone. */
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

/** Why it is not known what the registry has; undefined when it is. */
export function explainSilence({ registry }: ImageNews): string | undefined {
  if (registry.kind === 'unknown') return registry.reason;
  return registry.kind === 'gone' ? 'the name no longer exists in its registry' : undefined;
}

/** What the registry has is newer than what the store has. */
function findNewer({ imageId, storedId, registry }: ImageNews): NewerImage | undefined {
  const remoteId = registry.kind === 'newer' ? registry.digest.replace(/^sha256:/, '') : undefined;
  if (remoteId !== undefined && remoteId !== imageId) return { id: remoteId, where: 'registry' };
  if (storedId !== undefined && storedId !== imageId) return { id: storedId, where: 'store' };
  return undefined;
}
