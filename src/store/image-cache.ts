/**
 * Caches the facts that the list of images shows, so that the list need not decode a thousand commits each time:
 *
 * ```
 * REPO/tmp/cache/         libostree's folder for caches
 *   atomic-images-4       a `CachedList`; see cache-file.ts
 * ```
 *
 * The facts about a commit count only while its file is neither written nor replaced. The refs are read again unless their
 * folder is unchanged: every program replaces a ref by a rename, and none writes into it. `images verify` finds damage
 * that the disk causes without a write; the list does not.
 */

import { type Stats, statSync } from 'node:fs';
import { compareUtf8 } from '../base/compare-utf8.ts';
import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import type { ListedImage } from '../image/image.ts';
import { REF_FOLDER } from '../image/ref-name.ts';
import { readCacheFile, writeCacheFile } from '../ostree/cache-file.ts';
import { formatObjectPath } from '../ostree/object-files.ts';
import { nameImage } from './image-commit.ts';

/** The number changes with `CachedList`. */
const FILE = 'tmp/cache/atomic-images-4';

interface CachedList {
  /** Stamp of the folder of the refs; empty when the refs must be read in any case. */
  readonly stamp: string;
  /** Images, sorted by reference. */
  readonly images: readonly CachedImage[];
}

/** A tuple, because reading the cache costs most of the time: names of fields would be two fifths of the file. */
type CachedImage = readonly [
  reference: string,
  commit: Checksum,
  commitStamp: string,
  id: string,
  createdMs: number,
  virtualSize: number | null,
];

/** ext4 with small inodes has times in whole seconds, so a change within this time after another one may have the same stamp. */
const SETTLED_MS = 2_000;

export class ImageCache {
  readonly #repository: string;
  readonly #isOwn: boolean;
  readonly #startedMs = Date.now();
  readonly #known: CachedList;
  #byCommit: ReadonlyMap<string, CachedImage> | undefined;
  readonly #current: CachedImage[] = [];
  #isChanged = false;

  /** Must be constructed before anything is read that is saved in the cache. */
  constructor({ locations: { repository }, uid }: Pick<Host, 'locations' | 'uid'>) {
    this.#repository = repository;
    this.#isOwn = readStats(repository)?.uid === uid;
    this.#known = readList(`${repository}/${FILE}`);
  }

  /** @returns all images, sorted by reference; `undefined` when a ref or a commit changed after they were saved */
  findAll(): ListedImage[] | undefined {
    const { stamp, images } = this.#known;
    if (stamp === '' || stamp !== this.#readRefsStamp() || !images.every(this.#isCurrent)) return undefined;
    return images.map((entry) => toListed(entry[0], entry));
  }

  /**
   * @param reference name of the image, decoded from its ref
   * @param commit checksum that the ref names now
   * @returns the facts about the commit; `undefined` when its file has changed
   */
  find(reference: string, commit: Checksum): ListedImage | undefined {
    this.#byCommit ??= new Map(this.#known.images.map((entry) => [entry[1], entry]));
    const entry = this.#byCommit.get(commit);
    if (entry === undefined || !this.#isCurrent(entry)) return undefined;
    const [, ...facts] = entry;
    this.#current.push([reference, ...facts]);
    return toListed(reference, entry);
  }

  /**
   * Reads the stamp of a commit's file. Must be called before the commit is read.
   *
   * @param commit checksum of the commit
   * @returns a text that differs after each write or replacement of the file, because the time of change cannot be set back;
   * `undefined` when there is no such file
   */
  readCommitStamp(commit: Checksum): string | undefined {
    const stats = readStats(formatObjectPath(this.#repository, commit, 'commit'));
    return stats === undefined ? undefined : formatStamp(stats);
  }

  /** @param commitStamp stamp from before the commit was read */
  add({ reference, commit, id, created, virtualSize }: ListedImage, commitStamp: string): void {
    this.#current.push([reference, commit, commitStamp, id, created.getTime(), virtualSize ?? null]);
    this.#isChanged = true;
  }

  /**
   * Saves the images that were found and added, and no others. Does not write into a repository of another user.
   *
   * @param count number of all images: the next list must read those that were neither found nor added
   */
  save(count: number): void {
    const stamp = count === this.#current.length ? this.#readRefsStamp() : '';
    if (!this.#isOwn || (!this.#isChanged && stamp === this.#known.stamp)) return;
    const images = this.#current.sort(([a], [b]) => compareUtf8(a, b));
    writeCacheFile(`${this.#repository}/${FILE}`, { stamp, images } satisfies CachedList);
  }

  readonly #isCurrent = ([, commit, commitStamp]: CachedImage): boolean =>
    this.readCommitStamp(commit) === commitStamp;

  /**
   * @returns a text that differs after each addition, removal or replacement in the folder; empty when the folder may have
   * changed while this object existed
   */
  #readRefsStamp(): string {
    const stats = readStats(`${this.#repository}/refs/heads/${REF_FOLDER}`);
    const isSettled = stats !== undefined && stats.ctimeMs < this.#startedMs - SETTLED_MS;
    return isSettled ? formatStamp(stats) : '';
  }
}

function readStats(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function formatStamp({ ino, ctimeMs }: Stats): string {
  return `${ino} ${ctimeMs}`;
}

function readList(path: string): CachedList {
  const list = readCacheFile(path);
  return isCachedList(list) ? list : { stamp: '', images: [] };
}

function isCachedList(value: unknown): value is CachedList {
  if (typeof value !== 'object' || value === null) return false;
  const { stamp, images } = value as Partial<CachedList>;
  return typeof stamp === 'string' && Array.isArray(images) && images.every(isCachedImage);
}

function isCachedImage(value: unknown): value is CachedImage {
  if (!Array.isArray(value)) return false;
  const [reference, commit, commitStamp, id, createdMs, virtualSize] = value;
  const texts = [reference, commit, commitStamp, id];
  const isSize = virtualSize === null || typeof virtualSize === 'number';
  return texts.every((text) => typeof text === 'string') && typeof createdMs === 'number' && isSize;
}

function toListed(reference: string, [, commit, , id, createdMs, virtualSize]: CachedImage): ListedImage {
  const created = new Date(createdMs);
  return nameImage(reference, { id, commit, created, virtualSize: virtualSize ?? undefined });
}
