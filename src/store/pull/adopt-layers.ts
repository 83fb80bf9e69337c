/**
 * Layers that are there already under another name. The digest of a layer is that of its compressed archive, so one
 * content has several: a registry sends it with gzip, an engine plain. What unpacks to the same archive is the same
 * tree: the new name gets a commit of its own, and nothing is fetched.
 */
import type { BlobDescriptor } from '../../core/manifest.ts';
import type { Commit } from '../../core/ostree-objects.ts';
import { formatBlobRef, parseRefName } from '../../core/ref-name.ts';
import type { Host } from '../../host/host.ts';
import type { Pointer } from '../../native/glib.ts';
import { BlobKey } from '../image-commit.ts';
import { findRef, listRefNames, readCommit } from '../object-files.ts';
import { findStoredLayer, readStoredLayer, type StoredLayer } from '../stored-layer.ts';
import { tolerateDamage } from '../tolerate-damage.ts';
import { writeAdoptedLayer } from '../write-commit.ts';

/** A missing layer, and the commit of another one that inflates to the same archive. */
export interface AdoptableLayer {
  readonly layer: BlobDescriptor;
  readonly diffId: string;
  readonly content: Commit;
}

/**
 * Finds the missing layers whose content another layer has.
 *
 * @param diffIds digests of the inflated layers, in the order of `layers`
 * @throws AtomicError STORE_CORRUPT
 */
export function findAdoptableLayers(
  host: Host,
  layers: readonly BlobDescriptor[],
  diffIds: readonly string[],
): AdoptableLayer[] {
  const { repository } = host.locations;
  const missing = layers.flatMap((layer, index) => {
    const diffId = diffIds[index] ?? '';
    return findStoredLayer(repository, layer, diffId) === undefined ? [{ layer, diffId }] : [];
  });
  const contents = readContents(repository, new Set(missing.map(({ diffId }) => diffId)));
  return missing.flatMap(({ layer, diffId }) => {
    const content = contents.get(diffId);
    return content === undefined ? [] : [{ layer, diffId, content }];
  });
}

/**
 * Writes a commit and a ref for each, in the open transaction.
 *
 * That a layer has this content is what the configuration says, and nobody has checked it yet. Hence the mark in the
 * commit: an image that says otherwise of the same layer fetches it.
 *
 * @returns the adopted layers by their digest
 */
export function adoptLayers(repo: Pointer, adoptable: readonly AdoptableLayer[]): Map<string, StoredLayer> {
  return new Map(
    adoptable.map(({ layer, diffId, content }) => {
      writeAdoptedLayer(repo, layer, content);
      return [layer.digest, readStoredLayer(content, diffId)];
    }),
  );
}

/**
 * Finds layers by the digest of their inflated archive. Reads the commits of the repository, 0.4 ms each, until all are
 * found; none when nothing is wanted. A layer that cannot be read is none that helps; perhaps nobody needs it any more.
 */
function readContents(repository: string, wanted: ReadonlySet<string>): Map<string, Commit> {
  const contents = new Map<string, Commit>();
  if (wanted.size === 0) return contents;
  for (const name of listRefNames(repository)) {
    const parsed = parseRefName(name);
    if (parsed.kind !== 'blob') continue;
    const commit = tolerateDamage(() => readBlobCommit(repository, parsed.digest));
    const digest = commit?.metadata.get(BlobKey.uncompressedDigest);
    if (commit === undefined || digest === undefined || !wanted.has(digest)) continue;
    contents.set(digest, commit);
    if (contents.size === wanted.size) break;
  }
  return contents;
}

function readBlobCommit(repository: string, digest: string): Commit | undefined {
  const checksum = findRef(repository, formatBlobRef(digest));
  return checksum === undefined ? undefined : readCommit(repository, checksum);
}
