/**
 * What the list shows of each image, so that it need not read and decode a thousand commits each time:
 *
 * ```
 * REPO/tmp/cache/         libostree's folder for what can be made again
 *   atomic-images-2       `CachedImage[]`, by reference; see cache-file.ts
 * ```
 *
 * It is no second truth. The names of refs are read from the repository each time, and an entry counts only as long as neither
 * the file of its ref nor that of its commit has been written to or replaced. Damage that is no write, as a disk does it, is
 * found by `images verify` and not by the list.
 */
import { statSync } from 'node:fs';
import { compareUtf8 } from '../core/compare-utf8.ts';
import type { ListedImage } from '../core/image.ts';
import { REF_FOLDER } from '../core/ref-name.ts';
import type { Host } from '../host/host.ts';
import { readCacheFile, writeCacheFile } from './cache-file.ts';
import { nameImage } from './image-commit.ts';
import { formatObjectPath } from './object-files.ts';

/** The number changes with `CachedImage`. */
const FILE = 'tmp/cache/atomic-images-2';

/**
 * Short, because reading it costs more than all the rest: no names, which would be two fifths of it. The reference is what
 * the name of the ref decodes to, which costs more than reading it.
 */
type CachedImage = readonly [
  refName: string,
  reference: string,
  refStamp: string,
  commit: string,
  commitStamp: string,
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

  /** Names of refs, in the order in which their images are listed. */
  get refNames(): Iterable<string> {
    return this.#known.keys();
  }

  /**
   * @param refName below `ociimage/`
   * @returns what was last read of this ref, if nothing was written to it and its commit since
   */
  find(refName: string): ListedImage | undefined {
    const entry = this.#known.get(refName);
    if (entry === undefined) return undefined;
    const [, , refStamp, commit, commitStamp] = entry;
    if (this.readRefStamp(refName) !== refStamp || this.readCommitStamp(commit) !== commitStamp)
      return undefined;
    this.#current.push(entry);
    return toListed(entry);
  }

  /** As `readCommitStamp`, of a ref. */
  readRefStamp(refName: string): string | undefined {
    return readStamp(`${this.#repository}/refs/heads/${REF_FOLDER}/${refName}`);
  }

  /**
   * To be taken before the commit is read.
   *
   * @param commit checksum
   * @returns what changes whenever the commit's file is written to or replaced: nobody can set that time back; `undefined`
   * when there is no such file
   */
  readCommitStamp(commit: string): string | undefined {
    return readStamp(formatObjectPath(this.#repository, commit, 'commit'));
  }

  /**
   * @param refStamp, commitStamp taken before ref and commit were read
   * @returns of the image what the list shows
   */
  add(refName: string, refStamp: string, commitStamp: string, image: ListedImage): ListedImage {
    const { reference, commit, id, created, virtualSize } = image;
    const size = virtualSize ?? null;
    const entry = [refName, reference, refStamp, commit, commitStamp, id, created.getTime(), size] as const;
    this.#current.push(entry);
    this.#isChanged = true;
    return toListed(entry);
  }

  /** Keeps what was found and added, and nothing else. Nothing is written into what belongs to someone else. */
  save(): void {
    if (!this.#isChanged || !this.#isOwn) return;
    const sorted = this.#current.sort(([, a], [, b]) => compareUtf8(a, b));
    writeCacheFile(`${this.#repository}/${FILE}`, sorted);
  }
}

function readStamp(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.ino} ${stat.ctimeMs}`;
}

function readEntries(path: string): readonly CachedImage[] {
  const entries = readCacheFile(path);
  return Array.isArray(entries) && entries.every(isCachedImage) ? entries : [];
}

function isCachedImage(value: unknown): value is CachedImage {
  if (!Array.isArray(value)) return false;
  const [refName, reference, refStamp, commit, commitStamp, id, createdMs, virtualSize] = value;
  const texts = [refName, reference, refStamp, commit, commitStamp, id];
  const isSize = virtualSize === null || typeof virtualSize === 'number';
  return texts.every((text) => typeof text === 'string') && typeof createdMs === 'number' && isSize;
}

function toListed([, reference, , commit, , id, createdMs, virtualSize]: CachedImage): ListedImage {
  const created = new Date(createdMs);
  return nameImage(reference, { id, commit, created, virtualSize: virtualSize ?? undefined });
}
