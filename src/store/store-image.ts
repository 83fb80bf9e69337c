/**
 * Stores an image from an open source: the layers that are missing, then the image itself. The image's ref is set by the
 * last transaction, so that an image is there whole or not at all; layers that are complete survive an interrupted pull
 * from the last checkpoint on.
 */
import { readDiffIds } from '../core/diff-ids.ts';
import { AtomicError } from '../core/errors.ts';
import type { PulledImage } from '../core/image.ts';
import {
  type BlobDescriptor,
  findCompression,
  type ImageManifest,
  MAX_MANIFEST_BYTES,
  parseManifest,
} from '../core/manifest.ts';
import type { LayerTree } from '../core/merge-layers.ts';
import type { Host } from '../host/host.ts';
import { throwIfInterrupted } from '../host/interruption.ts';
import type { ImageSource } from '../source/image-source.ts';
import { ensureLayer } from './fetch-layer.ts';
import { findImage } from './find-image.ts';
import { hasSignatures } from './image-signatures.ts';
import { withRepository } from './repository.ts';
import { withStoreErrors } from './store-error.ts';
import { findStoredLayer } from './stored-layer.ts';

/**
 * A transaction ends in one sync of the filesystem, about 0.2 s after 200 MB: too slow for each of 60 small layers,
 * cheap against what is lost when 64 MB must be fetched again.
 */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;

/**
 * @param reference the name under which it is stored, with tag or digest
 * @throws AtomicError MANIFEST_INVALID, MANIFEST_UNSUPPORTED, LAYER_REJECTED, DIGEST_MISMATCH, NO_SPACE, STORE_FAILED
 * and what the source throws; the image is then as it was before
 */
export async function storeImage(host: Host, reference: string, source: ImageSource): Promise<PulledImage> {
  const manifest = parseManifest(decodeUtf8(source.manifest));
  const present = await findImage(host, reference);
  if (
    present !== undefined &&
    `sha256:${present.id}` === source.digest &&
    hasAllBlobs(host, manifest) &&
    hasSignatures(host, present, source.signatures)
  ) {
    return { image: present, fetched: [], reused: manifest.layers.map(({ digest }) => digest) };
  }
  // A layer of an unknown kind is refused before anything is fetched.
  for (const layer of manifest.layers) findCompression(layer);
  const config = await readConfig(source, manifest.config);
  const diffIds = readDiffIds(config.toString('utf8'), manifest.layers.length);
  return withRepository(host, async (repo) => {
    const { abortTransaction, beginTransaction, commitTransaction } = await import('../native/ostree.ts');
    const { writeConfigCommit, writeImageCommit } = await import('./write-commit.ts');
    const { adoptLayers } = await import('./adopt-layers.ts');
    await withStoreErrors('opening a transaction', () => beginTransaction(repo));
    try {
      const fetched: string[] = [];
      const trees: LayerTree[] = [];
      const known = adoptLayers(host, repo, manifest.layers, diffIds);
      let uncommitted = 0;
      for (const [index, layer] of manifest.layers.entries()) {
        const { stored, bytesWritten } = await ensureLayer(host, repo, source, layer, known, diffIds[index]);
        checkDiffId(layer, stored.uncompressedDigest, diffIds[index]);
        trees.push(stored.tree);
        known.set(layer.digest, stored);
        if (bytesWritten === 0) continue;
        fetched.push(layer.digest);
        uncommitted += bytesWritten;
        const isLast = index === manifest.layers.length - 1;
        if (uncommitted < CHECKPOINT_BYTES || isLast) continue;
        await withStoreErrors('storing layers', () => commitTransaction(repo));
        beginTransaction(repo);
        uncommitted = 0;
      }
      return await withStoreErrors(`storing ${reference}`, async () => {
        writeConfigCommit(repo, manifest.config, config);
        const recorded = {
          digest: source.digest,
          text: decodeUtf8(source.manifest),
          source: source.location,
          signatures: source.signatures,
        };
        const image = writeImageCommit(repo, reference, recorded, trees);
        throwIfInterrupted(host);
        await commitTransaction(repo);
        const reused = manifest.layers
          .map(({ digest }) => digest)
          .filter((digest) => !fetched.includes(digest));
        return { image, fetched, reused };
      });
    } catch (error) {
      abortTransaction(repo);
      throw error;
    }
  });
}

async function readConfig(source: ImageSource, { digest, size }: BlobDescriptor): Promise<Buffer> {
  if (size > MAX_MANIFEST_BYTES) {
    throw new AtomicError(
      'MANIFEST_INVALID',
      `reading the image's configuration: ${size} bytes are more than ${MAX_MANIFEST_BYTES}`,
      { hint: 'Ask the author of the image; nothing was stored.' },
    );
  }
  return source.proxy.readBlob(source.image, digest, size);
}

function hasAllBlobs(host: Host, manifest: ImageManifest): boolean {
  return manifest.layers.every((layer) => findStoredLayer(host.locations.repository, layer) !== undefined);
}

function checkDiffId(layer: BlobDescriptor, actual: string, expected: string | undefined): void {
  if (expected === undefined || expected === actual) return;
  throw new AtomicError(
    'DIGEST_MISMATCH',
    `layer ${layer.digest}: it inflates to ${actual}, but the image says ${expected}`,
    {
      hint: 'The image is damaged or forged; nothing was stored.',
    },
  );
}

function decodeUtf8(data: Buffer): string {
  const text = data.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(data)) return text;
  throw new AtomicError('MANIFEST_INVALID', 'reading the manifest: it is not UTF-8', {
    hint: 'Ask the author of the image; nothing was stored.',
  });
}
