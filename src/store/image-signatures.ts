/**
 * Signatures of an image that the trust policy has accepted, in the metadata of its commit: their number as the original tool
 * wrote it (compatibility S-01), and each in base64 under an own key. `skopeo standalone-verify` can check them with the
 * recorded manifest, also when the registry is gone.
 */

import type { Host } from '../host/host.ts';
import type { StoredImage } from '../image/image.ts';
import { readCommit } from '../ostree/object-files.ts';
import { ImageKey } from './image-commit.ts';

/** Formats signatures as metadata of an image commit. */
export function formatSignatures(signatures: readonly Buffer[]): readonly (readonly [string, string])[] {
  return [
    [ImageKey.signatures, String(signatures.length)],
    ...signatures.map((data, index) => [formatKey(index), data.toString('base64')] as const),
  ];
}

/** @throws AtomicError STORE_CORRUPT when the commit is missing */
export function readSignatures(host: Host, image: StoredImage): readonly Buffer[] {
  return parseSignatures(readCommit(host.locations.repository, image.commit).metadata);
}

/** The inverse of `formatSignatures`. */
export function parseSignatures(metadata: ReadonlyMap<string, string>): readonly Buffer[] {
  const count = Number(metadata.get(ImageKey.signatures) ?? '0');
  const signatures: Buffer[] = [];
  // The original tool stores signatures as files of the commit, not in its metadata.
  for (let index = 0; index < count; index += 1) {
    const text = metadata.get(formatKey(index));
    if (text === undefined) break;
    signatures.push(Buffer.from(text, 'base64'));
  }
  return signatures;
}

/** Whether a stored image has all of these signatures. */
export function hasSignatures(host: Host, image: StoredImage, signatures: readonly Buffer[]): boolean {
  const stored = readSignatures(host, image).map((data) => data.toString('base64'));
  return signatures.every((data) => stored.includes(data.toString('base64')));
}

function formatKey(index: number): string {
  return `atomic.signature-${index + 1}`;
}
