/**
 * Finds layers by what they inflate to. That stands in their commits, which also have the record of their archive and so may
 * take a millisecond each to read. What was read is kept:
 *
 * ```
 * REPO/tmp/cache/         libostree's folder for what can be made again
 *   atomic-layers-1       `CachedContent[]`; see cache-file.ts
 * ```
 *
 * An entry is a hint: that a blob inflates to something else than before is only possible when one of both was a lie, and
 * the commit is read before anybody relies on it.
 */

import type { Host } from '../../host/host.ts';
import type { BlobDescriptor } from '../../image/manifest.ts';
import { parseRefName, REF_FOLDER } from '../../image/ref-name.ts';
import { readCacheFile, writeCacheFile } from '../../ostree/cache-file.ts';
import { findRef, listRefNames, readCommit } from '../../ostree/object-files.ts';
import type { Commit } from '../../ostree/ostree-objects.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { BlobKey } from '../image-commit.ts';
import type { AdoptableLayer } from '../write-commit.ts';

/** The number changes with `CachedContent`. */
const FILE = 'tmp/cache/atomic-layers-1';

/** `diffId` is that of a layer's inflated archive, `sha256:HEX`; empty for the blob of a configuration. */
type CachedContent = readonly [refName: string, diffId: string];

export class LayerContents {
  readonly #repository: string;
  readonly #kept: ReadonlyMap<string, string>;
  /** Of each blob that could be read. */
  #current: readonly CachedContent[] | undefined;

  constructor({ locations: { repository } }: Pick<Host, 'locations'>) {
    this.#repository = repository;
    this.#kept = readContents(`${repository}/${FILE}`);
  }

  /**
   * @param wanted digests of inflated archives, `sha256:HEX`
   * @returns for each that a layer has, the commit of that; one that cannot be read is none that helps
   */
  find(wanted: ReadonlySet<string>): Map<string, Commit> {
    const contents = new Map<string, Commit>();
    if (wanted.size === 0) return contents;
    this.#current ??= this.#readAll();
    for (const [refName, diffId] of this.#current) {
      if (!wanted.has(diffId) || contents.has(diffId)) continue;
      const commit = readBlobCommit(this.#repository, refName);
      if (commit?.metadata.get(BlobKey.uncompressedDigest) === diffId) contents.set(diffId, commit);
    }
    return contents;
  }

  /** Keeps what was read. Not to be called before it is clear that a pull changes the disk. */
  save(): void {
    const current = this.#current;
    if (current === undefined) return;
    const isKept = current.length === this.#kept.size && current.every(([name]) => this.#kept.has(name));
    if (!isKept) writeCacheFile(`${this.#repository}/${FILE}`, current);
  }

  #readAll(): readonly CachedContent[] {
    const blobs = listRefNames(this.#repository).filter((name) => parseRefName(name).kind === 'blob');
    return blobs.flatMap<CachedContent>((name) => {
      const known = this.#kept.get(name);
      if (known !== undefined) return [[name, known]];
      const commit = readBlobCommit(this.#repository, name);
      return commit === undefined ? [] : [[name, commit.metadata.get(BlobKey.uncompressedDigest) ?? '']];
    });
  }
}

function readContents(path: string): ReadonlyMap<string, string> {
  const entries = readCacheFile(path);
  return new Map(Array.isArray(entries) && entries.every(isCachedContent) ? entries : []);
}

function isCachedContent(value: unknown): value is CachedContent {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}

function readBlobCommit(repository: string, refName: string): Commit | undefined {
  return tolerateDamage(() => {
    const checksum = findRef(repository, `${REF_FOLDER}/${refName}`);
    return checksum === undefined ? undefined : readCommit(repository, checksum);
  });
}

/**
 * Finds the missing layers whose content another layer has.
 *
 * @param diffIds digests of the inflated layers, in the order of `layers`
 * @param there digests of the layers that are not missing
 */
export function findAdoptableLayers(
  contents: LayerContents,
  layers: readonly BlobDescriptor[],
  diffIds: readonly string[],
  there: Pick<ReadonlySet<string>, 'has'>,
): AdoptableLayer[] {
  const missing = layers.flatMap((layer, index) =>
    there.has(layer.digest) ? [] : [{ layer, diffId: diffIds[index] ?? '' }],
  );
  const found = contents.find(new Set(missing.map(({ diffId }) => diffId)));
  return missing.flatMap(({ layer, diffId }) => {
    const content = found.get(diffId);
    return content === undefined ? [] : [{ layer, diffId, content }];
  });
}
