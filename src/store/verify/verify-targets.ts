/**
 * Lists the images to verify. Unlike `listImages`, it includes damaged ones; their unreadable parts are `undefined`.
 */

import { compareUtf8 } from '../../base/compare-utf8.ts';
import type { Host } from '../../host/host.ts';
import type { Checksum } from '../../image/checksum.ts';
import { computeDigest, type Digest } from '../../image/digest.ts';
import { hasDigest, type ImageFacts } from '../../image/image.ts';
import { formatImageRef, parseRefName } from '../../image/ref-name.ts';
import { findPin, formatReference } from '../../image/reference.ts';
import { parseStoredName } from '../../image/source-name.ts';
import { findRef, listRefNames, readCommit } from '../../ostree/object-files.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { buildAmbiguous, buildImageNotFound, parseIdPrefix } from '../find-image.ts';
import { describeImage, describeManifest, ImageKey, readRecordedDigest } from '../image-commit.ts';
import { parseSignatures } from '../image-signatures.ts';

/** An image by its ref, or by the commit that a deployment names. */
export interface VerifyTarget {
  readonly reference: string;
  /** The ref that should name the commit; `undefined` when only a deployment does. */
  readonly ref: string | undefined;
  /** Checksum of the commit; `undefined` when the ref is damaged. */
  readonly commit: Checksum | undefined;
  /** Facts in the commit; `undefined` when it cannot be read. The facts of a damaged commit may be wrong. */
  readonly image: ImageFacts | undefined;
}

/** A manifest that matches its digest. */
export interface TrustedManifest {
  readonly digest: Digest;
  readonly text: string;
  /** Location that the image came from, as skopeo writes it; empty when it is not recorded. */
  readonly source: string;
  readonly signatures: readonly Buffer[];
}

/** Lists every image that has a ref, by name. */
export function listTargets(host: Host): VerifyTarget[] {
  return listRefNames(host.locations.repository)
    .map(parseRefName)
    .flatMap((name) => (name.kind === 'image' ? [readTarget(host, name.reference)] : []))
    .filter((target) => target.commit !== undefined || !isGone(host, target))
    .sort((a, b) => compareUtf8(a.reference, b.reference));
}

/**
 * Chooses targets by name or by the beginning of an id, as `readImages` does.
 *
 * @throws AtomicError IMAGE_NOT_FOUND, BAD_REFERENCE
 */
export function selectTargets(targets: readonly VerifyTarget[], written: readonly string[]): VerifyTarget[] {
  const images = targets.flatMap(({ image }) => (image === undefined ? [] : [image]));
  const names = written.flatMap((word) => {
    const wanted = parseStoredName(word);
    const reference = formatReference(wanted);
    const pin = findPin(wanted);
    const isNamed = targets.some(
      ({ reference: name, image }) =>
        name === reference && (pin === undefined || (image !== undefined && hasDigest(image, pin))),
    );
    if (isNamed) return [reference];
    return selectById(
      images,
      word,
      targets.map((target) => target.reference),
    );
  });
  return targets.filter(({ reference }) => names.includes(reference));
}

function selectById(images: readonly ImageFacts[], written: string, stored: readonly string[]): string[] {
  const prefix = parseIdPrefix(written);
  const found = prefix === undefined ? [] : images.filter(({ id }) => id.startsWith(prefix));
  if (new Set(found.map(({ id }) => id)).size > 1) throw buildAmbiguous(written, found);
  if (found.length === 0) throw buildImageNotFound(written, stored);
  return found.map(({ reference }) => reference);
}

/** Reads a ref again after a repair. */
export function readTarget(host: Host, reference: string): VerifyTarget {
  const { repository } = host.locations;
  const ref = formatImageRef(reference);
  const commit = tolerateDamage(() => findRef(repository, ref));
  return { reference, ref, commit, image: describeCommit(repository, reference, commit) };
}

/** Whether the ref was removed after its name was read. */
function isGone({ locations: { repository } }: Host, { ref }: VerifyTarget): boolean {
  return ref !== undefined && tolerateDamage(() => findRef(repository, ref) === undefined) === true;
}

/** @param reference name of the deployment's image */
export function buildUnnamedTarget(
  host: Host,
  reference: string,
  commit: Checksum | undefined,
): VerifyTarget {
  const image = describeCommit(host.locations.repository, reference, commit);
  return { reference, ref: undefined, commit, image };
}

/**
 * Finds the manifest in a commit. The manifest of a damaged commit counts only when it matches the digest in the same commit.
 */
export function findTrustedManifest(
  repository: string,
  commit: Checksum | undefined,
  isCommitSound: boolean,
): TrustedManifest | undefined {
  const metadata =
    commit === undefined ? undefined : tolerateDamage(() => readCommit(repository, commit).metadata);
  const text = metadata?.get(ImageKey.manifest);
  if (metadata === undefined || text === undefined) return undefined;
  const actual = computeDigest('sha256', text);
  const digest = readRecordedDigest({ metadata }, ImageKey.digest) ?? actual;
  if (!isCommitSound && digest !== actual) return undefined;
  const signatures = parseSignatures(metadata);
  return { digest, text, source: metadata.get(ImageKey.source) ?? '', signatures };
}

/** Builds a target for the layers and the configuration of a manifest, without a commit. */
export function buildPartsTarget(reference: string, { digest, text, source }: TrustedManifest): VerifyTarget {
  const metadata = new Map([
    [ImageKey.manifest, text],
    [ImageKey.digest, digest],
    [ImageKey.source, source],
  ]);
  const image = describeManifest(reference, { metadata, timestamp: new Date(0) }, digest);
  return { reference, ref: undefined, commit: undefined, image };
}

function describeCommit(
  repository: string,
  reference: string,
  commit: Checksum | undefined,
): ImageFacts | undefined {
  if (commit === undefined) return undefined;
  return tolerateDamage(() => describeImage(reference, commit, readCommit(repository, commit)));
}
