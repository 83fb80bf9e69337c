/**
 * Exports images: rebuilds the layers into a scratch folder, and lets skopeo copy that folder to the destination. Meanwhile
 * the disk holds the compressed layers once (for `docker-archive:` the uncompressed ones), in addition to the destination.
 */

import { AtomicError, wrapError } from '../../base/errors.ts';
import { buildRetryPauses } from '../../base/retry-pauses.ts';
import type { Host } from '../../host/host.ts';
import { withStandingLockIfThere } from '../../host/locks/standing-lock.ts';
import { retryTransient } from '../../host/retry.ts';
import { requireFindable } from '../../host/working-directory.ts';
import { type Digest, toDigest } from '../../image/digest.ts';
import {
  type Destination,
  type FileDestination,
  formatDestination,
  parseFileDestination,
  parseRegistryDestination,
  type RegistryDestination,
} from '../../image/export-destination.ts';
import type { ExportedImage, ExportedPart, SourceOptions, StoredImage } from '../../image/image.ts';
import { formatReference } from '../../image/reference.ts';
import { findReplacedIndex } from '../../source/replaced-index.ts';
import { copyOwn } from '../../source/skopeo/skopeo.ts';
import { prepareAccess } from '../../source/trust/credentials-file.ts';
import { withSharedStore } from '../access/store-lock.ts';
import { readImage } from '../find-image.ts';
import { withScratch } from '../scratch.ts';
import { buildImageFolder, type ImageFolder, writeSignatures } from './export-folder.ts';
import type { ManifestForm } from './export-manifest.ts';
import { checkFileDestination } from './file-destination.ts';
import { UNNAMEABLE_REASON } from './rebuild-layer.ts';
import { createUnpublished } from './unpublished.ts';

const UNCOMPRESSED_REASON = 'a docker-archive holds uncompressed layers';
const NO_MANIFEST_REASON = 'a docker-archive has no manifest of its own';
const CONVERTED_REASON = 'the image has a Docker manifest, and an OCI layout holds OCI manifests only';
const LAYERS_REASON = 'it has other layers';
const CONFIG_REASON = 'it has another digest for the configuration';
const RECORD_REASON = 'the stored manifest does not match its digest';

/**
 * Copies a stored image to a registry.
 *
 * @param written name of the image or beginning of its id
 * @param destination name in a registry; `undefined` for the one under which the image is stored
 * @throws AtomicError BAD_VALUE, BAD_REFERENCE, IMAGE_NOT_FOUND, REGISTRY_AUTH, REGISTRY_UNREACHABLE, TRANSFER_FAILED;
 * as `buildImageFolder`
 */
export async function pushImage(
  host: Host,
  written: string,
  destination: string | undefined,
  options: SourceOptions,
): Promise<ExportedImage> {
  return withStep(`pushing ${written}`, () =>
    withSharedStore(host, async () => {
      const image = await readImage(host, written);
      const target = parseRegistryDestination(destination ?? keepInsecure(written, image), image.reference);
      const access = await prepareAccess(
        target.reference,
        target.reference.isInsecure ? { ...options, tlsVerify: false } : options,
      );
      try {
        await warnOfReplacedIndex(host, target, access.options);
        return await copyOut(host, { image, target }, access.options);
      } catch (error) {
        throw access.explain(error);
      } finally {
        access.remove();
      }
    }),
  );
}

/** `http:` before the name of the image also applies to its registry. */
function keepInsecure(written: string, { reference }: StoredImage): string {
  return written.startsWith('http:') ? `http:${reference}` : reference;
}

/** Warns before the work begins, so that the user can interrupt it. */
async function warnOfReplacedIndex(
  host: Host,
  target: RegistryDestination,
  options: SourceOptions,
): Promise<void> {
  if (target.reference.digest !== undefined) return;
  const index = await findReplacedIndex(host, formatDestination(target), options);
  if (index === undefined) return;
  const platforms = index.platforms.join(', ') || 'several images';
  host.report({
    kind: 'warning',
    text: `${formatReference(target.reference)} is an index of ${platforms}: this push puts one image in the place of that index, ${index.digest}`,
  });
}

/**
 * Writes a stored image to files.
 *
 * @param destination see `parseFileDestination`
 * @throws AtomicError BAD_VALUE, IMAGE_NOT_FOUND, FILE_CONFLICT, NO_SPACE, READ_ONLY, STORE_FAILED, TRANSFER_FAILED; as
 * `buildImageFolder`. The destination is then as before, except for new blobs in a layout that its index does not name
 */
export async function exportImage(host: Host, written: string, destination: string): Promise<ExportedImage> {
  return withStep(`exporting ${written}`, () =>
    withSharedStore(host, async () => {
      const image = await readImage(host, written);
      const target = parseFileDestination(destination, image);
      requireFindable(target.path);
      const { isThere } = await checkFileDestination(target);
      return isThere ? copyIntoFolder(host, image, target) : copyToNew(host, image, target);
    }),
  );
}

/** Locks the layout, because skopeo reads its index and writes it later, which would undo another export in between. */
async function copyIntoFolder(
  host: Host,
  image: StoredImage,
  target: FileDestination,
): Promise<ExportedImage> {
  const request = { path: target.path, mode: 'exclusive', object: target.path } as const;
  const locked = await withStandingLockIfThere(host, request, async () => {
    await checkFileDestination(target);
    return copyOut(host, { image, target }, {});
  });
  return locked.kind === 'done' ? locked.value : copyToNew(host, image, target);
}

async function copyToNew(host: Host, image: StoredImage, target: FileDestination): Promise<ExportedImage> {
  const unpublished = await createUnpublished(target);
  try {
    const exported = await copyOut(host, { image, target, place: unpublished.target }, {});
    await unpublished.publish();
    return exported;
  } catch (error) {
    throw renamePlace(error, unpublished.target.path, target.path);
  } finally {
    await unpublished.remove();
  }
}

/** Replaces the temporary path by the destination in an error of skopeo. */
function renamePlace(error: unknown, place: string, path: string): unknown {
  if (!(error instanceof AtomicError)) return error;
  const { code, message, hint, details, exitStatus, isTransient } = error;
  const renamed = message.replaceAll(place, path);
  return new AtomicError(code, renamed, { hint, details, exitStatus, isTransient, cause: error });
}

async function withStep<T>(step: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw wrapError(error, step);
  }
}

interface OutgoingCopy {
  readonly image: StoredImage;
  readonly target: Destination;
  /** Where skopeo writes, when the caller moves the image to its destination later. */
  readonly place?: Destination;
}

async function copyOut(
  host: Host,
  { image, target, place = target }: OutgoingCopy,
  options: SourceOptions,
): Promise<ExportedImage> {
  return withScratch(host, async (scratch) => {
    const folder = `${await scratch.open()}/image`;
    const destination = formatDestination(target);
    const built = await buildImageFolder(host, image, chooseForm(target), folder);
    // Signatures are valid only for these bytes, and only the form `dir:` has a place for them.
    if (target.kind === 'dir' && built.manifestDigest === `sha256:${image.id}`) {
      await writeSignatures(host, image, folder);
    }
    host.report({ kind: 'step', text: `Copying to ${destination}` });
    const copy = () => copyOwn(host, folder, formatDestination(place), options);
    // skopeo asks the registry which blobs it has, so another try sends only the rest.
    const digest = await (target.kind === 'registry'
      ? retryTransient(host, destination, options.retryPauses ?? buildRetryPauses(), copy)
      : copy());
    const exported = describe(image, target, built, digest);
    reportChanges(host, target, exported);
    return exported;
  });
}

function chooseForm({ kind }: Destination): ManifestForm {
  switch (kind) {
    case 'registry':
    case 'dir':
      return 'own';
    case 'oci':
    case 'oci-archive':
      return 'oci';
    case 'docker-archive':
      return 'uncompressed';
  }
}

function describe(
  image: StoredImage,
  target: Destination,
  built: ImageFolder,
  digest: Digest | undefined,
): ExportedImage {
  const { kind } = target;
  const isArchive = kind === 'docker-archive';
  const layers = built.layers.map((layer): ExportedPart => {
    const { original, digest, reason } = layer;
    return {
      original,
      digest,
      reason: digest === original ? undefined : isArchive ? UNCOMPRESSED_REASON : reason,
    };
  });
  const original = toDigest(`sha256:${image.id}`);
  const isSameConfig = built.config.digest === built.config.original;
  const config = { ...built.config, reason: isSameConfig ? undefined : UNNAMEABLE_REASON };
  const hasOtherLayers = layers.some(({ reason }) => reason !== undefined);
  const reason = isArchive
    ? NO_MANIFEST_REASON
    : digest === original
      ? undefined
      : hasOtherLayers
        ? LAYERS_REASON
        : config.reason !== undefined
          ? CONFIG_REASON
          : kind === 'oci' || kind === 'oci-archive'
            ? CONVERTED_REASON
            : RECORD_REASON;
  return {
    reference: image.reference,
    destination: formatDestination(target),
    manifest: { original, digest, reason },
    config,
    layers,
  };
}

/** Changes that every image of this form has are not reported. */
function reportChanges(host: Host, { kind }: Destination, { manifest, layers }: ExportedImage): void {
  if (kind === 'docker-archive') return;
  for (const [what, { original, digest, reason }] of [
    ...layers.map((layer) => ['layer', layer] as const),
    ['manifest', manifest] as const,
  ]) {
    if (reason === undefined) continue;
    host.report({ kind: 'warning', text: `${what} ${original} went out as ${digest}: ${reason}` });
  }
}
