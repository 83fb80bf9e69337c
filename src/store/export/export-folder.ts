/**
 * Builds an image as a folder that skopeo reads as `dir:`:
 *
 * ```
 * FOLDER/version
 * FOLDER/manifest.json
 * FOLDER/HEX            blobs by the hex of their digests: configuration and layers
 * FOLDER/signature-N    the signatures that came with the image, from 1
 * ```
 */

import { mkdir, statfs, writeFile } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { computeDigest, type Digest, digestAs, hexOf } from '../../image/digest.ts';
import type { StoredImage } from '../../image/image.ts';
import { type BlobDescriptor, type ImageManifest, parseManifest } from '../../image/manifest.ts';
import { readCommit } from '../../ostree/object-files.ts';
import { ImageKey } from '../image-commit.ts';
import { readImageConfig } from '../image-files.ts';
import { readSignatures } from '../image-signatures.ts';
import { type LayerChange, type ManifestForm, planManifest } from './export-manifest.ts';
import { readRecordedLayer } from './rebuild-archive.ts';
import { type RebuiltLayer, rebuildLayer, rebuildUncompressed } from './rebuild-layer.ts';

const VERSION = 'Directory Transport Version: 1.1\n';
const MEGABYTE = 1_000_000;

export interface ImageFolder {
  /** Digest of the manifest in the folder. */
  readonly manifestDigest: Digest;
  readonly config: { readonly original: Digest; readonly digest: Digest };
  /** Layers, base first. */
  readonly layers: readonly RebuiltLayer[];
}

/**
 * @param folder path that does not exist, in a scratch folder
 * @throws AtomicError NO_SPACE, before anything is written, when the layers do not fit; STORE_CORRUPT; as `rebuildLayer`
 */
export async function buildImageFolder(
  host: Host,
  image: StoredImage,
  form: ManifestForm,
  folder: string,
): Promise<ImageFolder> {
  const text = readManifestText(host, image);
  const manifest = parseManifest(text);
  const config = await readConfigBlob(host, image, manifest.config.digest);
  const distinct = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
  await requireSpace(host, distinct, form);
  return withFileErrors(`write ${folder}`, async () => {
    await mkdir(folder);
    await writeFile(`${folder}/version`, VERSION);
    const configDigest = computeDigest('sha256', config);
    await writeFile(`${folder}/${hexOf(configDigest)}`, config);
    const rebuilt = await rebuildLayers(host, distinct, form, folder);
    const changes = new Map<Digest, LayerChange>(
      [...rebuilt].filter(([original, { digest }]) => digest !== original),
    );
    if (configDigest !== manifest.config.digest) {
      changes.set(manifest.config.digest, { digest: configDigest, size: manifest.config.size });
    }
    const plain = distinct.map(({ digest }) => digest).filter((digest) => isPlain(host, digest));
    const planned = planManifest(text, form, changes, new Set(plain));
    await writeFile(`${folder}/manifest.json`, planned);
    return {
      manifestDigest: computeDigest('sha256', planned),
      config: { original: manifest.config.digest, digest: configDigest },
      layers: listRebuilt(manifest, rebuilt),
    };
  });
}

/** Adds the signatures that are stored with the image. */
export async function writeSignatures(host: Host, image: StoredImage, folder: string): Promise<void> {
  await withFileErrors(`write ${folder}`, async () => {
    for (const [index, signature] of readSignatures(host, image).entries()) {
      await writeFile(`${folder}/signature-${index + 1}`, signature);
    }
  });
}

async function rebuildLayers(
  host: Host,
  layers: readonly BlobDescriptor[],
  form: ManifestForm,
  folder: string,
): Promise<ReadonlyMap<Digest, RebuiltLayer>> {
  const rebuilt = new Map<Digest, RebuiltLayer>();
  const rebuild = form === 'uncompressed' ? rebuildUncompressed : rebuildLayer;
  for (const [index, layer] of layers.entries()) {
    throwIfInterrupted(host);
    const size = `${Math.ceil(layer.size / MEGABYTE)} MB`;
    const short = hexOf(layer.digest).slice(0, 12);
    host.report({
      kind: 'step',
      text: `Rebuilding layer ${short} (${index + 1} of ${layers.length}, ${size})`,
    });
    rebuilt.set(layer.digest, await rebuild(host, layer, folder));
  }
  return rebuilt;
}

function listRebuilt(manifest: ImageManifest, rebuilt: ReadonlyMap<Digest, RebuiltLayer>): RebuiltLayer[] {
  return manifest.layers.map(({ digest }) => {
    const layer = rebuilt.get(digest);
    if (layer === undefined) throw new Error(`layer ${digest} was not rebuilt`);
    return layer;
  });
}

function readManifestText(host: Host, image: StoredImage): string {
  const text = readCommit(host.locations.repository, image.commit).metadata.get(ImageKey.manifest);
  if (text !== undefined) return text;
  throw new AtomicError('STORE_CORRUPT', `reading the manifest of ${image.reference}: none is recorded`, {
    hint: `Pull it again: atomic pull ${image.reference}`,
  });
}

async function readConfigBlob(host: Host, image: StoredImage, digest: Digest): Promise<string> {
  const text = await readImageConfig(host, image);
  if (digestAs(digest, text) === digest) return text;
  throw new AtomicError(
    'STORE_CORRUPT',
    `reading the configuration of ${image.reference}: its digest is not ${digest}`,
    { hint: `Check the image: atomic images verify ${image.reference}` },
  );
}

/** Refuses an export that would fill the disk, because the services of this machine need it too. */
async function requireSpace(
  host: Host,
  layers: readonly BlobDescriptor[],
  form: ManifestForm,
): Promise<void> {
  const sizes = layers.map((layer) =>
    form === 'uncompressed' ? (readRecordedLayer(host, layer.digest).uncompressedSize ?? 0) : layer.size,
  );
  const needed = sizes.reduce((sum, size) => sum + size, 0);
  const { bavail, bsize } = await statfs(host.locations.repository);
  const free = bavail * bsize;
  if (needed <= free) return;
  throw new AtomicError(
    'NO_SPACE',
    `rebuilding ${needed} bytes of layers: ${free} bytes are free on the filesystem of the image store`,
    { hint: 'Free some space on that filesystem; the layers are removed after the export.' },
  );
}

/** Whether a layer is a plain archive, see `findCompression`. */
function isPlain(host: Host, digest: Digest): boolean {
  return readRecordedLayer(host, digest).uncompressedDigest === digest;
}
