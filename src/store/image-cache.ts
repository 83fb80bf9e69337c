/**
 * What the list shows of each image, so that it need not read and decode a thousand commits each time:
 *
 * ```
 * REPO/tmp/cache/         libostree's folder for what can be made again
 *   atomic-images-3       `CachedList`; see cache-file.ts
 * ```
 *
 * It is no second truth. The whole list counts only as long as no name was added, removed or replaced in the folder of the
 * refs and in those of the commits, and what is kept of one commit only as long as that is there: its name is the checksum
 * of its content. Damage of a file under the same name, as a disk does it, is found by `images verify` and not by the list.
 */
import { existsSync, statSync } from 'node:fs';
import type { ListedImage } from '../core/image.ts';
import { REF_FOLDER } from '../core/ref-name.ts';
import type { Host } from '../host/host.ts';
import { readCacheFile, writeCacheFile } from './cache-file.ts';
import { nameImage } from './image-commit.ts';
import { formatObjectPath } from './object-files.ts';

/** The number changes with `CachedList`. */
const FILE = 'tmp/cache/atomic-images-3';

interface CachedList {
  /** Of the folders, see `#readStamp`; empty when the list has to be made anew in any case. */
  readonly stamp: string;
  /** By reference. */
  readonly images: readonly CachedImage[];
}

/** Short, because reading it costs more than all the rest: no names, which would be two fifths of it. */
type CachedImage = readonly [
  reference: string,
  commit: string,
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
  #isChanged = false;

  /** To be made before anything is read that is saved in it. */
  constructor({ locations: { repository }, uid }: Pick<Host, 'locations' | 'uid'>) {
    this.#repository = repository;
    this.#isOwn = statSync(repository, { throwIfNoEntry: false })?.uid === uid;
    this.#known = readList(`${repository}/${FILE}`);
  }

  /** @returns all images, by reference, if no ref and no commit came, went or was replaced since they were saved */
  findAll(): ListedImage[] | undefined {
    const { stamp, images } = this.#known;
    if (stamp === '' || stamp !== this.#readStamp(images.map(([, commit]) => commit))) return undefined;
    return images.map((entry) => toListed(entry[0], entry));
  }

  /**
   * @param reference what the name of the ref decodes to
   * @param commit checksum that the ref holds now
   * @returns what is known of the commit, if that is there
   */
  find(reference: string, commit: string): ListedImage | undefined {
    this.#byCommit ??= new Map(this.#known.images.map((entry) => [entry[1], entry]));
    const entry = this.#byCommit.get(commit);
    const isThere = entry !== undefined && existsSync(formatObjectPath(this.#repository, commit, 'commit'));
    this.#isChanged ||= !isThere;
    return isThere ? toListed(reference, entry) : undefined;
  }

  /**
   * Keeps these and no others. Nothing is written into what belongs to someone else.
   *
   * @param images by reference
   * @param isWhole no image was left out: else the next list has to name it, too
   */
  save(images: readonly ListedImage[], isWhole: boolean): void {
    const stamp = isWhole ? this.#readStamp(images.map(({ commit }) => commit)) : '';
    if (!this.#isOwn || (!this.#isChanged && stamp === this.#known.stamp)) return;
    const list: CachedList = { stamp, images: images.map(toCached) };
    writeCacheFile(`${this.#repository}/${FILE}`, list);
  }

  /**
   * @returns what changes whenever a name of the folders is added, removed or replaced: nobody can set that time back; empty
   * when one of them may have changed since the cache was made
   */
  #readStamp(commits: readonly string[]): string {
    const objects = new Set(commits.map((commit) => commit.slice(0, 2)));
    const folders = [`refs/heads/${REF_FOLDER}`, ...[...objects].map((name) => `objects/${name}`)];
    const stats = folders.map((path) => statSync(`${this.#repository}/${path}`, { throwIfNoEntry: false }));
    const settledMs = this.#startedMs - SETTLED_MS;
    const stamps = stats.map((stat) =>
      stat !== undefined && stat.ctimeMs < settledMs ? `${stat.ino} ${stat.ctimeMs}` : undefined,
    );
    return stamps.includes(undefined) ? '' : stamps.join();
  }
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
  const [reference, commit, id, createdMs, virtualSize] = value;
  const isSize = virtualSize === null || typeof virtualSize === 'number';
  return (
    [reference, commit, id].every((text) => typeof text === 'string') &&
    typeof createdMs === 'number' &&
    isSize
  );
}

function toCached({ reference, commit, id, created, virtualSize }: ListedImage): CachedImage {
  return [reference, commit, id, created.getTime(), virtualSize ?? null];
}

function toListed(reference: string, [, commit, id, createdMs, virtualSize]: CachedImage): ListedImage {
  const created = new Date(createdMs);
  return nameImage(reference, { id, commit, created, virtualSize: virtualSize ?? undefined });
}
