/**
 * What the list shows of each image, so that it need not read and decode a thousand commits each time:
 *
 * ```
 * REPO/tmp/cache/         libostree's folder for what can be made again
 *   atomic-images-1       `CachedImage[]`; see cache-file.ts
 * ```
 *
 * It is no second truth. Refs are read from the repository each time, and an entry counts only as long as its ref names the
 * same commit and the commit's file has not been written to or replaced. Damage that is no write, as a disk does it, is
 * found by `images verify` and not by the list.
 */
import { statSync } from 'node:fs';
import type { ListedImage } from '../core/image.ts';
import { REF_FOLDER } from '../core/ref-name.ts';
import type { Host } from '../host/host.ts';
import { readCacheFile, writeCacheFile } from './cache-file.ts';
import { nameImage } from './image-commit.ts';
import { findRef, formatObjectPath } from './object-files.ts';

/** The number changes with `CachedImage`. */
const FILE = 'tmp/cache/atomic-images-1';

/**
 * Short, because reading it costs more than all the rest: no names, which would be two fifths of it. The reference is what
 * the name of the ref decodes to, which costs more than reading it.
 */
type CachedImage = readonly [
  refName: string,
  reference: string,
  commit: string,
  stamp: string,
  id: string,
  createdMs: number,
  virtualSize: number | null,
];

export class ImageCache {
  readonly #repository: string;
  readonly #isOwn: boolean;
  readonly #known: ReadonlyMap<string, CachedImage>;
  readonly #current: CachedImage[] = [];
  #isChanged = false;

  constructor({ locations: { repository }, uid }: Pick<Host, 'locations' | 'uid'>) {
    this.#repository = repository;
    this.#isOwn = statSync(repository, { throwIfNoEntry: false })?.uid === uid;
    this.#known = new Map(readEntries(`${repository}/${FILE}`).map((entry) => [entry[0], entry]));
  }

  /**
   * @param refName below `ociimage/`
   * @returns what was last read of this ref, if nothing was written to it and its commit since
   * @throws AtomicError STORE_CORRUPT when the ref is damaged
   */
  find(refName: string): ListedImage | undefined {
    const entry = this.#known.get(refName);
    if (entry === undefined) return undefined;
    const [, , commit, stamp] = entry;
    if (findRef(this.#repository, `${REF_FOLDER}/${refName}`) !== commit) return undefined;
    if (this.readStamp(commit) !== stamp) return undefined;
    this.#current.push(entry);
    return toListed(entry);
  }

  /**
   * To be taken before the commit is read.
   *
   * @param commit checksum
   * @returns what changes whenever the commit's file is written to or replaced: nobody can set that time back; `undefined`
   * when there is no such file
   */
  readStamp(commit: string): string | undefined {
    const path = formatObjectPath(this.#repository, commit, 'commit');
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? undefined : `${stat.ino} ${stat.ctimeMs}`;
  }

  /**
   * @param image what was read of the ref and its commit after the stamp
   * @returns of it what the list shows
   */
  add(refName: string, stamp: string, image: ListedImage): ListedImage {
    const { reference, commit, id, created, virtualSize } = image;
    const entry = [refName, reference, commit, stamp, id, created.getTime(), virtualSize ?? null] as const;
    this.#current.push(entry);
    this.#isChanged = true;
    return toListed(entry);
  }

  /** Keeps what was found and added, and nothing else. Nothing is written into what belongs to someone else. */
  save(): void {
    if (this.#isChanged && this.#isOwn) writeCacheFile(`${this.#repository}/${FILE}`, this.#current);
  }
}

function readEntries(path: string): readonly CachedImage[] {
  const entries = readCacheFile(path);
  return Array.isArray(entries) && entries.every(isCachedImage) ? entries : [];
}

function isCachedImage(value: unknown): value is CachedImage {
  if (!Array.isArray(value)) return false;
  const [refName, reference, commit, stamp, id, createdMs, virtualSize] = value;
  const texts = [refName, reference, commit, stamp, id];
  const isSize = virtualSize === null || typeof virtualSize === 'number';
  return texts.every((text) => typeof text === 'string') && typeof createdMs === 'number' && isSize;
}

function toListed([, reference, commit, , id, createdMs, virtualSize]: CachedImage): ListedImage {
  const created = new Date(createdMs);
  return nameImage(reference, { id, commit, created, virtualSize: virtualSize ?? undefined });
}
