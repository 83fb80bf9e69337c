/**
 * What the list shows of each image, so that it need not read and decode a thousand commits each time:
 *
 * ```
 * REPO/tmp/cache/         OSTree's place for what can be made again
 *   atomic-images-1       SHA-256 of the rest in hex, a newline, JSON: `CachedImage[]`
 * ```
 *
 * It is no second truth. Refs are read from the repository each time, and an entry counts only as long as its ref names the
 * same commit and the commit's file is the one that was read. The cache is written in place and not synced: one that is
 * torn, by a crash or by two lists at once, does not have its checksum and counts as none, and the next list writes it anew.
 */
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ListedImage } from '../core/image.ts';
import { REF_FOLDER } from '../core/ref-name.ts';
import { isSystemError } from '../host/file-error.ts';
import { nameImage } from './image-commit.ts';
import { findRef, formatObjectPath } from './object-files.ts';

/** The number changes with `CachedImage`. */
const FILE = 'tmp/cache/atomic-images-1';
const SUM_LENGTH = 64;

/** Short, because reading it costs more than all the rest. A list, because the names would be two fifths of it. */
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
  readonly #known: ReadonlyMap<string, CachedImage>;
  readonly #current: CachedImage[] = [];
  #isChanged = false;

  constructor(repository: string) {
    this.#repository = repository;
    this.#known = new Map(readCache(`${repository}/${FILE}`).map((entry) => [entry[0], entry]));
  }

  /**
   * @param refName below `ociimage/`
   * @returns what was last read of this ref, if it can have changed in nothing
   * @throws AtomicError STORE_CORRUPT when the ref is damaged
   */
  find(refName: string): ListedImage | undefined {
    const entry = this.#known.get(refName);
    if (entry === undefined) return undefined;
    const [, , commit, stamp] = entry;
    if (findRef(this.#repository, `${REF_FOLDER}/${refName}`) !== commit) return undefined;
    if (this.#readStamp(commit) !== stamp) return undefined;
    this.#current.push(entry);
    return toListed(entry);
  }

  /**
   * @param image what was just read of the ref
   * @returns of it what the list shows
   */
  add(refName: string, { reference, commit, id, created, virtualSize }: ListedImage): ListedImage {
    const stamp = this.#readStamp(commit);
    const entry = [refName, reference, commit, stamp, id, created.getTime(), virtualSize ?? null] as const;
    this.#current.push(entry);
    this.#isChanged = true;
    return toListed(entry);
  }

  /** Keeps what was found and added, and nothing else. Nothing happens when the person may not write there. */
  save(): void {
    if (!this.#isChanged) return;
    const path = `${this.#repository}/${FILE}`;
    const entries = JSON.stringify(this.#current);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${sum(entries)}\n${entries}`);
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }

  /** Changes whenever the file is written to or replaced: nobody can set the time of the last change back. */
  #readStamp(commit: string): string {
    const path = formatObjectPath(this.#repository, commit, 'commit');
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino} ${stat.ctimeMs}`;
  }
}

function toListed([, reference, commit, , id, createdMs, virtualSize]: CachedImage): ListedImage {
  const created = new Date(createdMs);
  return nameImage(reference, { id, commit, created, virtualSize: virtualSize ?? undefined });
}

function readCache(path: string): readonly CachedImage[] {
  try {
    const file = readFileSync(path);
    const entries = file.subarray(SUM_LENGTH + 1);
    return sum(entries) === file.toString('latin1', 0, SUM_LENGTH) ? JSON.parse(entries.toString()) : [];
  } catch (error) {
    if (isSystemError(error)) return [];
    throw error;
  }
}

function sum(entries: string | Uint8Array): string {
  return hash('sha256', entries, 'hex');
}
