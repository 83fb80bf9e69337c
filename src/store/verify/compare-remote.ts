/** Compares stored images with their registries. Reads no objects. */
import { AtomicError } from '../../base/errors.ts';
import { buildRetryPauses } from '../../base/retry-pauses.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { retryTransient } from '../../host/retry.ts';
import { findTagSource, type SourceOptions } from '../../image/image.ts';
import { type ImageReference, tryParseReference } from '../../image/reference.ts';
import type { RemoteStatus } from '../../image/verified-image.ts';
import { findRemoteDigest } from '../../source/remote-digest.ts';
import { findTrustedManifest, listTargets, selectTargets, type VerifyTarget } from './verify-targets.ts';

const REGISTRY = 'docker://';

interface RemoteComparison {
  readonly reference: string;
  /** Hex of the stored manifest digest; `undefined` when the image's commit cannot be read. */
  readonly id: string | undefined;
  readonly status: RemoteStatus;
}

/**
 * Asks the registry for the tag of each image (compatibility X-13). The result also says when a registry does not answer.
 *
 * @param written names or beginnings of ids; an empty list means all images
 * @throws AtomicError IMAGE_NOT_FOUND, BAD_REFERENCE, TOOL_MISSING, INTERRUPTED
 */
export async function compareWithRegistries(
  host: Host,
  written: readonly string[],
  options: SourceOptions,
): Promise<readonly RemoteComparison[]> {
  const targets = listTargets(host);
  const compared: RemoteComparison[] = [];
  for (const target of written.length === 0 ? targets : selectTargets(targets, written)) {
    const { reference, image } = target;
    throwIfInterrupted(host);
    host.report({ kind: 'step', text: `Asking for ${reference}` });
    compared.push({ reference, id: image?.id, status: await compareWithRegistry(host, target, options) });
  }
  return compared;
}

/**
 * Compares one image. A registry that does not answer is a result, not an error.
 *
 * @throws AtomicError TOOL_MISSING, INTERRUPTED
 */
export async function compareWithRegistry(
  host: Host,
  target: VerifyTarget,
  options: SourceOptions,
): Promise<RemoteStatus> {
  const manifest = findTrustedManifest(host.locations.repository, target.commit, true);
  if (target.image === undefined || manifest === undefined) {
    return { kind: 'unknown', reason: 'its commit here is damaged' };
  }
  const origin = findOrigin(target);
  if (origin === undefined) return { kind: 'not-from-registry' };
  // The id is not used: it is the digest of the configuration when no manifest digest is recorded.
  const own = manifest.digest;
  try {
    const digest = await retryTransient(
      host,
      target.reference,
      options.retryPauses ?? buildRetryPauses(),
      () => findRemoteDigest(host, origin, own, options),
    );
    if (digest === undefined) return { kind: 'gone' };
    return digest === own ? { kind: 'up-to-date' } : { kind: 'newer', digest };
  } catch (error) {
    const concernsAll =
      !(error instanceof AtomicError) || error.code === 'INTERRUPTED' || error.code === 'TOOL_MISSING';
    if (concernsAll) throw error;
    return { kind: 'unknown', reason: error.message };
  }
}

/** Images of the original tool or of an older version have no recorded source, so their full name is the source. */
function findOrigin({ reference, image }: VerifyTarget): ImageReference | undefined {
  const source = image === undefined ? undefined : findTagSource(image);
  if (source !== undefined) return source.startsWith(REGISTRY) ? tryParseReference(source) : undefined;
  const origin = tryParseReference(reference);
  return origin?.registry === undefined ? undefined : origin;
}
