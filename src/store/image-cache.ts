/**
 * What the list shows of each image, so that it need not read and decode a thousand commits each time:
 *
 * ```
 * REPO/tmp/cache/         libostree's folder for what can be made again
 *   atomic-images-4       `CachedList`; see cache-file.ts
 * ```
 *
 * It is no second truth. What is kept of a commit counts only as long as its file was neither written to nor replaced. The
 * refs are read again, too, unless no name was added, removed or replaced in their folder: nobody writes into a ref in its
 * place. Damage that is no write, as a disk does it, is found by `images verify` and not by the list.
 */
import { type Stats, statSync } from 'node:fs';
import { compareUtf8 } from '../base/compare-utf8.ts';
import type { Host } from '../host/host.ts';
import type { ListedImage } from '../image/image.ts';
import { REF_FOLDER } from '../image/ref-name.ts';
import { readCacheFile, writeCacheFile } from '../ostree/cache-file.ts';
import { formatObjectPath } from '../ostree/object-files.ts';
import { nameImage } from './image-commit.ts';

/** The number changes with `CachedList`. */
const FILE = 'tmp/cache/atomic-images-4';

interface CachedList {
  /** Of the folder of the refs; empty when they have to be read in any case. */
  readonly stamp: string;
  /** By reference. */
  readonly images: readonly CachedImage[];
}

/** Short, because reading it costs more than all the rest: no names, which would be two fifths of it. */
type CachedImage = readonly [
  reference: string,
  commit: string,
  commitStamp: string,
  id: string,
  createdMs: number,
  virtualSize: number | null,
];

/** The times of ext4 with small inodes are whole seconds: what was changed so lately could change again without a trace. */
const SETTLED_MS = 2_000;

export class ImageCache {
  readonly #repository: string;
  readonly #isOwn: boolean;
  readonly #startedMs = Date.now();
  readonly #known: CachedList;
  #byCommit: ReadonlyMap<string, CachedImage> | undefined;
  readonly #current: CachedImage[] = [];
  #isChanged = false;

  /** To be made before anything is read that is saved in it. */
  constructor({ locations: { repository }, uid }: Pick<Host, 'locations' | 'uid'>) {
    this.#repository = repository;
    this.#isOwn = readStats(repository)?.uid === uid;
    this.#known = readList(`${repository}/${FILE}`);
  }

  /** @returns all images, by reference, if no ref came, went or was replaced and no commit changed since they were saved */
  findAll(): ListedImage[] | undefined {
    const { stamp, images } = this.#known;
    if (stamp === '' || stamp !== this.#readRefsStamp() || !images.every(this.#isCurrent)) return undefined;
    return images.map((entry) => toListed(entry[0], entry));
  }

  /**
   * @param reference what the name of the ref decodes to
   * @param commit checksum that the ref holds now
   * @returns what is known of the commit, if nothing was written to it since
   */
  find(reference: string, commit: string): ListedImage | undefined {
    this.#byCommit ??= new Map(this.#known.images.map((entry) => [entry[1], entry]));
    const entry = this.#byCommit.get(commit);
    if (entry === undefined || !this.#isCurrent(entry)) return undefined;
    const [, ...facts] = entry;
    this.#current.push([reference, ...facts]);
    return toListed(reference, entry);
  }

  /**
   * To be taken before the commit is read.
   *
   * @param commit checksum
   * @returns what changes whenever the commit's file is written to or replaced: nobody can set that time back; `undefined`
   * when there is no such file
   */
  readCommitStamp(commit: string): string | undefined {
    const stats = readStats(formatObjectPath(this.#repository, commit, 'commit'));
    return stats === undefined ? undefined : formatStamp(stats);
  }

  /** @param commitStamp taken before the commit was read */
  add({ reference, commit, id, created, virtualSize }: ListedImage, commitStamp: string): void {
    this.#current.push([reference, commit, commitStamp, id, created.getTime(), virtualSize ?? null]);
    this.#isChanged = true;
  }

  /**
   * Keeps what was found and added, and nothing else. Nothing is written into what belongs to someone else.
   *
   * @param count of the images that there are: one that was neither found nor added, the next list has to look at again
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
   * @returns what changes whenever a name of the folder is added, removed or replaced; empty when that may have happened since
   * the cache was made
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
