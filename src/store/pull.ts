/**
 * Pulls an image: the layers that are missing, then the image itself. The image's ref is set by the last transaction,
 * so that an image is there whole or not at all; layers that are complete survive an interrupted pull from the last
 * checkpoint on.
 */
import { mkdirSync } from 'node:fs';
import { readDiffIds } from '../core/diff-ids.ts';
import { AtomicError, wrapError } from '../core/errors.ts';
import type { PulledImage, SourceOptions } from '../core/image.ts';
import {
  type BlobDescriptor,
  findCompression,
  type ImageManifest,
  MAX_MANIFEST_BYTES,
  parseManifest,
} from '../core/manifest.ts';
import type { LayerTree } from '../core/merge-layers.ts';
import { formatReference, parseReference } from '../core/reference.ts';
import type { Host } from '../host/host.ts';
import { throwIfInterrupted } from '../host/interruption.ts';
import type { Pointer } from '../native/glib.ts';
import { type ImageSource, openRegistryImage } from '../source/registry-source.ts';
import { findImage } from './find-image.ts';
import { withRepository } from './repository.ts';
import { withStoreErrors } from './store-error.ts';
import { findStoredLayer, type StoredLayer } from './stored-layer.ts';

/**
 * A transaction ends in one sync of the filesystem, about 0.2 s after 200 MB: too slow for each of 60 small layers,
 * cheap against what is lost when 64 MB must be fetched again.
 */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;

/**
 * @param name as the person wrote it; the image is stored under it (compatibility I-01)
 * @throws AtomicError BAD_REFERENCE, what `openRegistryImage` throws, MANIFEST_INVALID, LAYER_REJECTED,
 * DIGEST_MISMATCH, NO_SPACE, STORE_FAILED; the image is then as it was before
 */
export async function pullImage(host: Host, name: string, options: SourceOptions): Promise<PulledImage> {
  const reference = parseReference(name);
  const sourceOptions = reference.isInsecure ? { ...options, tlsVerify: false } : options;
  host.report({ kind: 'pull-started', image: formatShort(name) });
  try {
    const source = await openRegistryImage(host, reference, () => makeScratch(host), sourceOptions);
    try {
      return await storeImage(host, formatReference(reference), source);
    } finally {
      await source.close();
    }
  } catch (error) {
    throw wrapError(error, `pulling ${name}`);
  }
}

function formatShort(name: string): string {
  return name.replace(/^(?:http|https|oci):(?:\/\/)?/, '');
}

/** On the filesystem of the store, where libostree collects what a crash leaves after a day. */
function makeScratch(host: Host): string {
  const scratch = `${host.locations.repository}/tmp`;
  mkdirSync(scratch, { recursive: true });
  return scratch;
}

async function storeImage(host: Host, reference: string, source: ImageSource): Promise<PulledImage> {
  const manifest = parseManifest(decodeUtf8(source.manifest));
  const present = await findImage(host, reference);
  if (present !== undefined && `sha256:${present.id}` === source.digest && hasAllBlobs(host, manifest)) {
    return { image: present, fetched: [], reused: manifest.layers.map(({ digest }) => digest) };
  }
  // A layer of an unknown kind is refused before anything is fetched.
  for (const layer of manifest.layers) findCompression(layer);
  const config = await readConfig(source, manifest.config);
  const diffIds = readDiffIds(config.toString('utf8'), manifest.layers.length);
  return withRepository(host, async (repo) => {
    const { abortTransaction, beginTransaction, commitTransaction } = await import('../native/ostree.ts');
    const { writeConfigCommit, writeImageCommit } = await import('./write-commit.ts');
    await withStoreErrors('opening a transaction', () => beginTransaction(repo));
    try {
      const fetched: string[] = [];
      const trees: LayerTree[] = [];
      const known = new Map<string, StoredLayer>();
      let uncommitted = 0;
      for (const [index, layer] of manifest.layers.entries()) {
        const { stored, bytesWritten } = await ensureLayer(host, repo, source, layer, known);
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
        const recorded = { digest: source.digest, text: decodeUtf8(source.manifest) };
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

/**
 * @param known layers of this image that came before; the repository finds them only from the next checkpoint on
 * @returns the layer and the bytes that were written for it: 0 when it was there
 */
async function ensureLayer(
  host: Host,
  repo: Pointer,
  source: ImageSource,
  layer: BlobDescriptor,
  known: ReadonlyMap<string, StoredLayer>,
): Promise<{ stored: StoredLayer; bytesWritten: number }> {
  throwIfInterrupted(host);
  const stored = known.get(layer.digest) ?? findStoredLayer(host.locations.repository, layer);
  if (stored !== undefined) return { stored, bytesWritten: 0 };
  return withStoreErrors(`storing layer ${layer.digest}`, async () => {
    try {
      return await fetchLayer(host, repo, source, layer);
    } catch (error) {
      throw wrapError(error, `layer ${layer.digest}`);
    }
  });
}

async function fetchLayer(
  host: Host,
  repo: Pointer,
  source: ImageSource,
  layer: BlobDescriptor,
): Promise<{ stored: StoredLayer; bytesWritten: number }> {
  const { importLayer } = await import('./import-layer.ts');
  const { writeLayerCommit } = await import('./write-commit.ts');
  host.report({ kind: 'layer-started', digest: layer.digest, bytes: layer.size });
  const blob = await source.proxy.openBlob(source.image, layer.digest, layer.size);
  const imported = await importLayer(repo, layer, blob, (received) =>
    host.report({ kind: 'layer-progress', digest: layer.digest, received }),
  );
  writeLayerCommit(repo, layer, imported);
  host.report({ kind: 'layer-finished', digest: layer.digest });
  const { unsupportedEntries, impliedDirectories, mayHaveWhiteouts } = imported.summary;
  if (unsupportedEntries > 0) {
    host.report({
      kind: 'warning',
      text: `layer ${layer.digest}: ${unsupportedEntries} device nodes or FIFOs were left out; the store cannot keep them`,
    });
  }
  const tree = { ...imported.tree, impliedDirectories: new Set(impliedDirectories), mayHaveWhiteouts };
  return {
    stored: { tree, uncompressedDigest: imported.uncompressedDigest },
    bytesWritten: Math.max(imported.uncompressedSize, 1),
  };
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
