/** Lists what the repository holds. Needs neither root nor libostree. */

import { compareUtf8 } from '../core/compare-utf8.ts';
import type { ListedImage, StoredBlob } from '../core/image.ts';
import { parseRefName, REF_FOLDER } from '../core/ref-name.ts';
import type { Host } from '../host/host.ts';
import { ImageCache } from './image-cache.ts';
import { describeBlob, describeImage } from './image-commit.ts';
import { findRef, listRefNames, REPAIR_HINT, readCommit } from './object-files.ts';
import { isDamage } from './tolerate-damage.ts';

/**
 * Images in the order of their names. One that is damaged is left out and reported. What was read is kept in the
 * repository, see `ImageCache`.
 */
export async function listImages(host: Host): Promise<ListedImage[]> {
  const { repository } = host.locations;
  const cache = new ImageCache(host);
  const images = listInOrder(listRefNames(repository), cache).flatMap((name) =>
    reportDamage(host, name, () => cache.find(name) ?? readImage(repository, name, cache)),
  );
  cache.save();
  return images.sort((a, b) => compareUtf8(a.reference, b.reference));
}

/** What is in order already is sorted in a fraction of the time. */
function listInOrder(names: readonly string[], { refNames }: ImageCache): readonly string[] {
  const rest = new Set(names);
  // Those of the cache that are there leave the rest.
  const known = [...refNames].filter((name) => rest.delete(name));
  return [...known, ...rest];
}

/** Layers and configuration blobs, newest first. One that is damaged is left out and reported. */
export async function listBlobs(host: Host): Promise<StoredBlob[]> {
  const { repository } = host.locations;
  return listRefNames(repository)
    .flatMap((name) => reportDamage(host, name, () => readBlob(repository, name)))
    .sort((a, b) => b.created.getTime() - a.created.getTime() || compareUtf8(a.id, b.id));
}

/** @returns `undefined` when the ref is of another kind, or was removed since the names were read */
function readImage(repository: string, name: string, cache: ImageCache): ListedImage | undefined {
  const parsed = parseRefName(name);
  if (parsed.kind !== 'image') return undefined;
  const refStamp = cache.readRefStamp(name);
  const commit = findRef(repository, `${REF_FOLDER}/${name}`);
  if (commit === undefined) return undefined;
  const commitStamp = cache.readCommitStamp(commit);
  const image = describeImage(parsed.reference, commit, readCommit(repository, commit));
  if (refStamp === undefined || commitStamp === undefined) return image;
  return cache.add(name, refStamp, commitStamp, image);
}

/** As `readImage`. */
function readBlob(repository: string, name: string): StoredBlob | undefined {
  const parsed = parseRefName(name);
  if (parsed.kind !== 'blob') return undefined;
  const commit = findRef(repository, `${REF_FOLDER}/${name}`);
  return commit === undefined ? undefined : describeBlob(parsed.digest, readCommit(repository, commit));
}

/** @returns one or none, for `flatMap` */
function reportDamage<T>(host: Host, name: string, read: () => T | undefined): T[] {
  try {
    const found = read();
    return found === undefined ? [] : [found];
  } catch (error) {
    if (!isDamage(error)) throw error;
    host.report({
      kind: 'warning',
      text: `${formatTitle(name)} is damaged: ${error.message}. ${REPAIR_HINT}`,
    });
    return [];
  }
}

function formatTitle(name: string): string {
  const parsed = parseRefName(name);
  return parsed.kind === 'image' ? parsed.reference : parsed.kind === 'blob' ? parsed.digest : name;
}
