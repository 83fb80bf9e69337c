/** Lists the images and blobs of the repository. Needs neither root nor libostree. */

import { compareUtf8 } from '../base/compare-utf8.ts';
import type { Host } from '../host/host.ts';
import type { ListedImage, StoredBlob } from '../image/image.ts';
import { parseRefName, REF_FOLDER } from '../image/ref-name.ts';
import { listRefNames, REPAIR_HINT, readCommit } from '../ostree/object-files.ts';
import { readThroughRef } from '../ostree/read-through-ref.ts';
import { isDamage } from '../ostree/tolerate-damage.ts';
import { ImageCache } from './image-cache.ts';
import { describeBlob, describeImage, nameImage } from './image-commit.ts';

/**
 * Lists images in the order of their names. Damaged ones are left out and reported. The result is cached in the repository,
 * see `ImageCache`.
 */
export async function listImages(host: Host): Promise<ListedImage[]> {
  const cache = new ImageCache(host);
  return cache.findAll() ?? readImages(host, cache);
}

/** Lists layers and configuration blobs, newest first. Damaged ones are left out and reported. */
export async function listBlobs(host: Host): Promise<StoredBlob[]> {
  const { found, damaged } = readEach(host, readBlob);
  reportDamage(host, damaged);
  return found.sort((a, b) => b.created.getTime() - a.created.getTime() || compareUtf8(a.id, b.id));
}

function readImages(host: Host, cache: ImageCache): ListedImage[] {
  const { found, damaged } = readEach(host, (repository, name) => readImage(repository, name, cache));
  reportDamage(host, damaged);
  const images = found.sort((a, b) => compareUtf8(a.reference, b.reference));
  cache.save(found.length + damaged.length);
  return images;
}

/** @returns `undefined` when the ref is not that of an image, or was removed after the names were read */
function readImage(repository: string, name: string, cache: ImageCache): ListedImage | undefined {
  const parsed = parseRefName(name);
  if (parsed.kind !== 'image') return undefined;
  const { reference } = parsed;
  return readThroughRef(repository, `${REF_FOLDER}/${name}`, (commit) => {
    const known = cache.find(reference, commit);
    if (known !== undefined) return known;
    const commitStamp = cache.readCommitStamp(commit);
    const { id, created, virtualSize } = describeImage(reference, commit, readCommit(repository, commit));
    const image = nameImage(reference, { id, commit, created, virtualSize });
    if (commitStamp !== undefined) cache.add(image, commitStamp);
    return image;
  });
}

/** @returns `undefined` when the ref is not that of a blob, or was removed after the names were read */
function readBlob(repository: string, name: string): StoredBlob | undefined {
  const parsed = parseRefName(name);
  if (parsed.kind !== 'blob') return undefined;
  return readThroughRef(repository, `${REF_FOLDER}/${name}`, (commit) =>
    describeBlob(parsed.digest, readCommit(repository, commit)),
  );
}

interface UnreadableRef {
  readonly name: string;
  readonly error: Error;
}

/** @param read reads one ref below `ociimage/` */
function readEach<T>(
  { locations: { repository } }: Host,
  read: (repository: string, name: string) => T | undefined,
): { readonly found: T[]; readonly damaged: readonly UnreadableRef[] } {
  const found: T[] = [];
  const damaged: UnreadableRef[] = [];
  for (const name of listRefNames(repository)) {
    try {
      const item = read(repository, name);
      if (item !== undefined) found.push(item);
    } catch (error) {
      if (!isDamage(error)) throw error;
      damaged.push({ name, error });
    }
  }
  return { found, damaged };
}

function reportDamage(host: Host, damaged: readonly UnreadableRef[]): void {
  for (const { name, error } of damaged) {
    const text = `${formatTitle(name)} is damaged: ${error.message}. ${REPAIR_HINT}`;
    host.report({ kind: 'warning', text });
  }
}

function formatTitle(name: string): string {
  const parsed = parseRefName(name);
  return parsed.kind === 'image' ? parsed.reference : parsed.kind === 'blob' ? parsed.digest : name;
}
