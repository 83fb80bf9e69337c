/** Lists what the repository holds. Reads files only; needs neither root nor libostree. */

import { compareUtf8 } from '../core/compare-utf8.ts';
import type { StoredBlob, StoredImage } from '../core/image.ts';
import { parseRefName, REF_FOLDER } from '../core/ref-name.ts';
import type { Host } from '../host/host.ts';
import { describeBlob, describeImage } from './image-commit.ts';
import { findRef, listRefNames, readCommit } from './object-files.ts';

/** Images in the order of their names. @throws AtomicError STORE_CORRUPT */
export async function listImages(host: Host): Promise<StoredImage[]> {
  const { repository } = host.locations;
  return listRefNames(repository)
    .flatMap((name) => {
      const parsed = parseRefName(name);
      const commit = parsed.kind === 'image' ? findRef(repository, `${REF_FOLDER}/${name}`) : undefined;
      return parsed.kind === 'image' && commit !== undefined
        ? [describeImage(parsed.reference, commit, readCommit(repository, commit))]
        : [];
    })
    .sort((a, b) => compareUtf8(a.reference, b.reference));
}

/** Layers and configuration blobs, newest first. @throws AtomicError STORE_CORRUPT */
export async function listBlobs(host: Host): Promise<StoredBlob[]> {
  const { repository } = host.locations;
  return listRefNames(repository)
    .flatMap((name) => {
      const parsed = parseRefName(name);
      const commit = parsed.kind === 'blob' ? findRef(repository, `${REF_FOLDER}/${name}`) : undefined;
      return parsed.kind === 'blob' && commit !== undefined
        ? [describeBlob(parsed.digest, readCommit(repository, commit))]
        : [];
    })
    .sort((a, b) => b.created.getTime() - a.created.getTime() || compareUtf8(a.id, b.id));
}
