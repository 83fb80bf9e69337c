/**
 * Stores an image from an open source: first the missing layers, then the image. The last transaction sets the image's ref, so
 * an image is stored completely or not at all. Complete layers survive an interrupted pull.
 */

import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { retryTransient } from '../../host/retry.ts';
import { checkConfiguration } from '../../image/configuration-blob.ts';
import { type Digest, isDigest } from '../../image/digest.ts';
import { hasDigest, type Platform, type PulledImage, type StoredImage } from '../../image/image.ts';
import {
  type BlobDescriptor,
  findCompression,
  type ImageManifest,
  MAX_MANIFEST_BYTES,
  parseManifest,
} from '../../image/manifest.ts';
import type { Pointer } from '../../native/glib.ts';
import { readCommit } from '../../ostree/object-files.ts';
import { withRepository } from '../../ostree/repository.ts';
import { isDamage } from '../../ostree/tolerate-damage.ts';
import { withTransaction } from '../../ostree/transaction.ts';
import { withImageLock } from '../access/image-lock.ts';
import { findStoredImage } from '../find-image.ts';
import { hasConfig } from '../image-files.ts';
import { hasMergedRoot } from '../image-root.ts';
import { hasSignatures } from '../image-signatures.ts';
import { FileWorker } from '../layer/file-worker.ts';
import { WriteBack } from '../layer/write-back.ts';
import { forgetLayers } from '../layer-ledger.ts';
import { checkRoomForLayers, listMissingLayers } from '../preflight.ts';
import { findStoredLayers, type StoredLayer } from '../stored-layer.ts';
import type { AdoptableLayer } from '../write-commit.ts';
import { BlobQueue } from './blob-queue.ts';
import { checkPlatform } from './check-platform.ts';
import type { LayerSource } from './fetch-layer.ts';
import { findAdoptableLayers, LayerContents } from './layer-contents.ts';
import { storeLayers } from './store-layers.ts';

/**
 * @param reference name under which the image is stored, with tag or digest
 * @param platform platform that the user has requested
 * @throws AtomicError MANIFEST_INVALID, MANIFEST_UNSUPPORTED, LAYER_REJECTED, DIGEST_MISMATCH, NO_SPACE, STORE_FAILED;
 * errors of the source. The stored image is then as before
 */
export async function storeImage(
  host: Host,
  reference: string,
  from: LayerSource,
  platform?: Platform,
): Promise<PulledImage> {
  const { source } = from;
  const manifest = parseManifest(decodeUtf8(source.manifest));
  // Also checked for a stored image, because it may be for another platform.
  const asked = platform === undefined ? undefined : await readConfig(host, from, manifest.config);
  if (asked !== undefined) checkPlatform(host, asked.toString('utf8'), platform);
  const present = findReadable(host, reference);
  if (
    present !== undefined &&
    `sha256:${present.id}` === source.digest &&
    isAskedFor(present, source.location) &&
    hasMergedRoot(host.locations.repository, readCommit(host.locations.repository, present.commit)) &&
    hasAllBlobs(host, manifest) &&
    hasSignatures(host, present, source.signatures)
  ) {
    const reused = manifest.layers.map(({ digest }) => digest);
    return { image: present, fetched: [], bytesFetched: 0, reused, isUpToDate: true };
  }
  // A layer of an unknown kind is refused before anything is fetched.
  for (const layer of manifest.layers) findCompression(layer);
  const [config] = await Promise.all([asked ?? readConfig(host, from, manifest.config), loadImporter()]);
  if (asked === undefined) checkPlatform(host, config.toString('utf8'), undefined);
  return withImageRepository(host, source.digest, reference, async (repo) => {
    const { writeAdoptedLayers, writeConfigCommit, writeImageCommit } = await import('../write-commit.ts');
    const diffIds = checkConfiguration(config.toString('utf8'), reference, manifest.layers.length);
    const contents = new LayerContents(host);
    const { there, adoptable, planned } = planLayers(host, manifest.layers, diffIds, contents);
    await checkRoomForLayers(host, repo, planned);
    const stored = await withTransaction(host, repo, `storing ${reference}`, async (transaction) => {
      const known = new Map([
        ...there,
        ...writeAdoptedLayers(host.locations.repository, transaction, adoptable),
      ]);
      host.report({
        kind: 'pull-planned',
        layers: planned.map(({ digest, size }) => ({ digest, bytes: size })),
      });
      using files = new FileWorker();
      using blobs = new BlobQueue(source, planned);
      const queued = { ...from, blobs, files, writeBack: new WriteBack(host.locations.repository) };
      const wanted = { manifest, diffIds, there: known };
      const { trees, fetched, pending } = await storeLayers(host, transaction, queued, wanted);
      writeConfigCommit(transaction, manifest.config, config);
      const recorded = {
        digest: source.digest,
        text: decodeUtf8(source.manifest),
        source: source.location,
        signatures: source.signatures,
      };
      const image = writeImageCommit(transaction, reference, recorded, trees);
      throwIfInterrupted(host);
      return { image, fetched, pending };
    });
    contents.save();
    forgetLayers(host, stored.pending);
    return { image: stored.image, ...describeTransfer(manifest, stored.fetched), isUpToDate: false };
  });
}

/**
 * Loads the modules that store a layer while skopeo works: a tenth of the time of a small pull, most of it for libostree. A
 * module that cannot be loaded fails where it is used, because the image may need none of them.
 */
export async function loadImporter(): Promise<void> {
  await Promise.allSettled([
    import('../../native/ostree.ts'),
    import('../../native/ostree-inventory.ts'),
    import('../write-commit.ts'),
    import('../layer/import-layer.ts'),
    import('../layer/object-stage.ts'),
    import('./resume-layer.ts'),
  ]);
}

/** Locks the image by its digest, so that no other pull stores it under another name meanwhile. */
function withImageRepository<T>(
  host: Host,
  digest: Digest,
  reference: string,
  action: (repo: Pointer) => Promise<T>,
): Promise<T> {
  return withImageLock(host, digest, reference, () => withRepository(host, action));
}

/** Divides the layers into stored ones, those stored under another digest, and those that must be fetched. */
function planLayers(
  host: Host,
  layers: readonly BlobDescriptor[],
  diffIds: readonly Digest[],
  contents: LayerContents,
): {
  readonly there: ReadonlyMap<string, StoredLayer>;
  readonly adoptable: readonly AdoptableLayer[];
  readonly planned: readonly BlobDescriptor[];
} {
  const there = findStoredLayers(host.locations.repository, layers, diffIds);
  const adoptable = findAdoptableLayers(contents, layers, diffIds, there);
  const known = new Set([...there.keys(), ...adoptable.map(({ layer }) => layer.digest)]);
  return { there, adoptable, planned: listMissingLayers(host, layers, known) };
}

/** When the user names a list by its digest, the commit must have that digest, so that the image is found by it later. */
function isAskedFor(present: StoredImage, location: string): boolean {
  const digest = location.slice(location.lastIndexOf('@') + 1);
  return !isDigest(digest) || hasDigest(present, digest);
}

/** A damaged image counts as missing, so that it is stored again. */
function findReadable(host: Host, reference: string): StoredImage | undefined {
  try {
    return findStoredImage(host, reference);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

function describeTransfer(
  { layers }: ImageManifest,
  fetched: readonly BlobDescriptor[],
): Omit<PulledImage, 'image' | 'isUpToDate'> {
  const digests = fetched.map(({ digest }) => digest);
  return {
    fetched: digests,
    bytesFetched: fetched.reduce((sum, { size }) => sum + size, 0),
    reused: layers.map(({ digest }) => digest).filter((digest) => !digests.includes(digest)),
  };
}

async function readConfig(
  host: Host,
  { source, retryPauses }: LayerSource,
  { digest, size }: BlobDescriptor,
): Promise<Buffer> {
  if (size > MAX_MANIFEST_BYTES) {
    throw new AtomicError(
      'MANIFEST_INVALID',
      `reading the image's configuration: ${size} bytes are more than ${MAX_MANIFEST_BYTES}`,
      { hint: 'Ask the author of the image; nothing was stored.' },
    );
  }
  host.report({ kind: 'step', text: 'Reading the configuration of the image' });
  return retryTransient(host, 'configuration of the image', retryPauses, async (triesBefore) => {
    if (triesBefore > 0) await source.renew();
    return source.proxy.readBlob(source.image, digest, size);
  });
}

function hasAllBlobs({ locations: { repository } }: Host, manifest: ImageManifest): boolean {
  const stored = findStoredLayers(repository, manifest.layers);
  return manifest.layers.every(({ digest }) => stored.has(digest)) && hasConfig(repository, manifest.config);
}

function decodeUtf8(data: Buffer): string {
  const text = data.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(data)) return text;
  throw new AtomicError('MANIFEST_INVALID', 'reading the manifest: it is not UTF-8', {
    hint: 'Ask the author of the image; nothing was stored.',
  });
}
