/**
 * Finds the commit of an image whose ref is damaged. The commit is still among the objects. It does not have the name of the
 * image, but its source.
 */

import type { Host } from '../../host/host.ts';
import type { Checksum } from '../../image/checksum.ts';
import type { Digest } from '../../image/digest.ts';
import { listCommits, readCommit } from '../../ostree/object-files.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { ImageKey } from '../image-commit.ts';
import type { ObjectVerifier } from './object-verifier.ts';

/**
 * @param reference name whose ref is damaged
 * @param digest digest of the image by the records of deployments
 * @returns checksum of the newest sound commit with this digest or, when `digest` is unknown, with a source of this name;
 * `undefined` when there is none
 */
export async function findLostCommit(
  host: Host,
  verifier: ObjectVerifier,
  reference: string,
  digest: Digest | undefined,
): Promise<Checksum | undefined> {
  const { repository } = host.locations;
  const candidates = listCommits(repository).flatMap((checksum) => {
    const commit = tolerateDamage(() => readCommit(repository, checksum));
    const source = commit?.metadata.get(ImageKey.source) ?? '';
    const isIt =
      digest === undefined ? isSourceOf(source, reference) : commit?.metadata.get(ImageKey.digest) === digest;
    return commit !== undefined && isIt ? [{ checksum, time: commit.timestamp.getTime() }] : [];
  });
  for (const { checksum } of candidates.sort((a, b) => b.time - a.time)) {
    if ((await verifier.check('commit', checksum)).state === 'sound') return checksum;
  }
  return undefined;
}

/** Whether a source is `docker://NAME`, or ends with `:NAME` as `docker-archive:/PATH:NAME`; see `formatLocation`. */
function isSourceOf(source: string, reference: string): boolean {
  if (source.startsWith('docker://')) return source === `docker://${reference}`;
  return source.endsWith(`:${reference}`);
}
