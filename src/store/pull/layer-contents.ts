/**
 * Finds layers by the digest of their inflated archive. The digest of a layer is that of its compressed blob, so one content
 * has several: a registry sends it with gzip, an engine plain. The new digest gets a commit of its own, without a fetch.
 *
 * The digests are in the commits of layers, which also have the record of the archive and take up to a millisecond each to
 * read. So they are cached:
 *
 * ```
 * REPO/tmp/cache/         libostree's folder for caches
 *   atomic-layers-1       a `CachedContent[]`; see cache-file.ts
 * ```
 *
 * An entry is a hint: the commit of a layer is read before the layer is used.
 */

import type { Host } from '../../host/host.ts';
import { type Digest, isDigest } from '../../image/digest.ts';
import type { BlobDescriptor } from '../../image/manifest.ts';
import { parseRefName, REF_FOLDER } from '../../image/ref-name.ts';
import { readCacheFile, writeCacheFile } from '../../ostree/cache-file.ts';
import { findRef, listRefNames, readCommit } from '../../ostree/object-files.ts';
import type { Commit } from '../../ostree/ostree-objects.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { BlobKey, readRecordedDigest } from '../image-commit.ts';
import type { AdoptableLayer } from '../write-commit.ts';

/** The number changes with `CachedContent`. */
const FILE = 'tmp/cache/atomic-layers-1';

/** `diffId` is the digest of a layer's inflated archive, `sha256:HEX`; empty for the blob of a configuration. */
type CachedContent = readonly [refName: string, diffId: Digest | ''];

export class LayerContents {
  readonly #repository: string;
  readonly #kept: ReadonlyMap<string, Digest | ''>;
  /** Contents of all blobs that could be read; `undefined` before the first search. */
  #current: readonly CachedContent[] | undefined;

  constructor({ locations: { repository } }: Pick<Host, 'locations'>) {
    this.#repository = repository;
    this.#kept = readContents(`${repository}/${FILE}`);
  }

  /**
   * @param wanted digests of inflated archives, `sha256:HEX`
   * @returns commits of layers with these archives, by the digest of the archive; unreadable commits are left out
   */
  find(wanted: ReadonlySet<Digest>): Map<Digest, Commit> {
    const contents = new Map<Digest, Commit>();
    if (wanted.size === 0) return contents;
    this.#current ??= this.#readAll();
    for (const [refName, diffId] of this.#current) {
      if (diffId === '' || !wanted.has(diffId) || contents.has(diffId)) continue;
      const commit = readBlobCommit(this.#repository, refName);
      if (commit?.metadata.get(BlobKey.uncompressedDigest) === diffId) contents.set(diffId, commit);
    }
    return contents;
  }

  /** Saves the cache. Must not be called before the pull has changed the store. */
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
      return commit === undefined
        ? []
        : [[name, readRecordedDigest(commit, BlobKey.uncompressedDigest) ?? '']];
    });
  }
}

function readContents(path: string): ReadonlyMap<string, Digest | ''> {
  const entries = readCacheFile(path);
  return new Map(Array.isArray(entries) && entries.every(isCachedContent) ? entries : []);
}

function isCachedContent(value: unknown): value is CachedContent {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [refName, diffId]: unknown[] = value;
  return typeof refName === 'string' && (diffId === '' || isDigest(diffId));
}

function readBlobCommit(repository: string, refName: string): Commit | undefined {
  return tolerateDamage(() => {
    const checksum = findRef(repository, `${REF_FOLDER}/${refName}`);
    return checksum === undefined ? undefined : readCommit(repository, checksum);
  });
}

/**
 * Finds the missing layers whose content is stored under another digest.
 *
 * @param diffIds digests of the inflated layers, in the order of `layers`
 * @param there digests of the stored layers
 */
export function findAdoptableLayers(
  contents: LayerContents,
  layers: readonly BlobDescriptor[],
  diffIds: readonly Digest[],
  there: Pick<ReadonlySet<string>, 'has'>,
): AdoptableLayer[] {
  const missing = layers.flatMap((layer, index) => {
    const diffId = diffIds[index];
    return diffId === undefined || there.has(layer.digest) ? [] : [{ layer, diffId }];
  });
  const found = contents.find(new Set(missing.map(({ diffId }) => diffId)));
  return missing.flatMap(({ layer, diffId }) => {
    const content = found.get(diffId);
    return content === undefined ? [] : [{ layer, diffId, content }];
  });
}
