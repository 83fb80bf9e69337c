/** Lists what the repository holds. Reads files only; needs neither root nor libostree. */

import { compareUtf8 } from '../core/compare-utf8.ts';
import type { StoredBlob, StoredImage } from '../core/image.ts';
import type { Commit } from '../core/ostree-objects.ts';
import { parseRefName, REF_FOLDER } from '../core/ref-name.ts';
import type { Host } from '../host/host.ts';
import { describeBlob, describeImage } from './image-commit.ts';
import { findRef, listRefNames, REPAIR_HINT, readCommit } from './object-files.ts';
import { isDamage } from './tolerate-damage.ts';

/** Images in the order of their names. One that is damaged is left out and reported. */
export async function listImages(host: Host): Promise<StoredImage[]> {
  return listRefNames(host.locations.repository)
    .flatMap((name) => {
      const parsed = parseRefName(name);
      if (parsed.kind !== 'image') return [];
      const { reference } = parsed;
      return readOrReport(host, name, reference, (checksum, commit) =>
        describeImage(reference, checksum, commit),
      );
    })
    .sort((a, b) => compareUtf8(a.reference, b.reference));
}

/** Layers and configuration blobs, newest first. One that is damaged is left out and reported. */
export async function listBlobs(host: Host): Promise<StoredBlob[]> {
  return listRefNames(host.locations.repository)
    .flatMap((name) => {
      const parsed = parseRefName(name);
      if (parsed.kind !== 'blob') return [];
      const { digest } = parsed;
      return readOrReport(host, name, digest, (_, commit) => describeBlob(digest, commit));
    })
    .sort((a, b) => b.created.getTime() - a.created.getTime() || compareUtf8(a.id, b.id));
}

/** A ref that is gone was removed since the names were read. */
function readOrReport<T>(
  host: Host,
  name: string,
  title: string,
  describe: (checksum: string, commit: Commit) => T,
): T[] {
  const { repository } = host.locations;
  try {
    const checksum = findRef(repository, `${REF_FOLDER}/${name}`);
    return checksum === undefined ? [] : [describe(checksum, readCommit(repository, checksum))];
  } catch (error) {
    if (!isDamage(error)) throw error;
    host.report({ kind: 'warning', text: `${title} is damaged: ${error.message}. ${REPAIR_HINT}` });
    return [];
  }
}
