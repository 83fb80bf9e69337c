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

/**
 * Writes a commit and a ref, in the open transaction, for every missing layer whose content another layer has.
 *
 * That a layer has this content is what the configuration says, and nobody has checked it yet. Hence the mark in the
 * commit: an image that says otherwise of the same layer fetches it.
 *
 * @param diffIds digests of the inflated layers, in the order of `layers`
 * @returns the adopted layers by their digest
 * @throws AtomicError STORE_CORRUPT
 */
export function adoptLayers(
  host: Host,
  repo: Pointer,
  layers: readonly BlobDescriptor[],
  diffIds: readonly string[],
): Map<string, StoredLayer> {
  const { repository } = host.locations;
  const missing = layers.flatMap((layer, index) => {
    const diffId = diffIds[index] ?? '';
    return findStoredLayer(repository, layer, diffId) === undefined ? [{ layer, diffId }] : [];
  });
  const contents = readContents(repository, new Set(missing.map(({ diffId }) => diffId)));
  const adopted = new Map<string, StoredLayer>();
  for (const { layer, diffId } of missing) {
    const commit = contents.get(diffId);
    if (commit === undefined) continue;
    writeAdoptedLayer(repo, layer, commit);
    adopted.set(layer.digest, readStoredLayer(commit, diffId));
  }
  return adopted;
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
