/** Opens an image of a registry: short names, trust policy, credentials. */

import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { algorithmOf, computeDigest, type Digest, digestAs } from '../image/digest.ts';
import type { SourceOptions } from '../image/image.ts';
import { formatRequest, type ImageReference, pinReference, replaceRepository } from '../image/reference.ts';
import { readRegistriesConfFiles, readTrustPolicy } from './configuration.ts';
import { type ImageSource, openThroughProxy, type Scratch } from './image-source.ts';
import { openPrivateCopy, requireRoomForCopy } from './private-copy.ts';
import { readRawManifest } from './skopeo/skopeo.ts';
import type { SkopeoOptions } from './skopeo/source-flags.ts';
import { prepareAccess } from './trust/credentials-file.ts';
import { findAlias, listCandidates } from './trust/registries-conf.ts';
import { judgeRegistryImage, type TrustVerdict } from './trust/trust-policy.ts';

/**
 * @param scratch folder for a copy of the image, when its signatures must be checked
 * @throws AtomicError IMAGE_NOT_FOUND, REGISTRY_AUTH, REGISTRY_UNREACHABLE, POLICY_REJECTED, MANIFEST_UNSUPPORTED,
 * SETTINGS_INVALID, TOOL_MISSING
 */
export async function openRegistryImage(
  host: Host,
  reference: ImageReference,
  scratch: Scratch,
  options: SourceOptions,
): Promise<ImageSource> {
  const candidates = findCandidates(host, reference);
  for (const [index, candidate] of candidates.entries()) {
    try {
      return await openCandidate(host, candidate, scratch, options);
    } catch (error) {
      if (!(error instanceof AtomicError) || error.code !== 'IMAGE_NOT_FOUND') throw error;
      if (index === candidates.length - 1) throw await explainMissing(host, candidate, error, options);
    }
  }
  throw new Error('a name without candidates');
}

function findCandidates(host: Host, reference: ImageReference): readonly ImageReference[] {
  if (reference.registry !== undefined) return [reference];
  const conf = readRegistriesConfFiles(host);
  if (conf.searchRegistries.length === 0 && findAlias(conf, reference.repository) === undefined) {
    host.report({
      kind: 'warning',
      text: `The image \`${reference.repository}\` is not fully qualified.  The default registry configured for Skopeo will be used.`,
    });
  }
  return listCandidates(conf, reference.repository).map((repository) =>
    replaceRepository(reference, repository),
  );
}

async function openCandidate(
  host: Host,
  reference: ImageReference,
  scratch: Scratch,
  options: SourceOptions,
): Promise<ImageSource> {
  const verdict = judgeRegistryImage(readTrustPolicy(host), reference);
  if (verdict.kind === 'reject') throw rejected(formatRequest(reference), verdict);
  const access = await prepareAccess(reference, options);
  try {
    const named = await nameBySha256(host, reference, access.options);
    const location = `docker://${formatRequest(named)}`;
    // A tag may name another image by the time of the second question.
    const pin = (digest: Digest) => `docker://${formatRequest(pinReference(named, digest))}`;
    const source =
      verdict.kind === 'verify'
        ? await openVerifiedCopy(host, location, scratch, access.options)
        : await openThroughProxy(host, location, access.options, pin);
    return closingAlso(source, access.remove);
  } catch (error) {
    access.remove();
    throw access.explain(error);
  }
}

/** Adds a hint with the repository's tags to the error of a missing tag, if the registry lists them. */
async function explainMissing(
  host: Host,
  reference: ImageReference,
  error: AtomicError,
  options: SourceOptions,
): Promise<AtomicError> {
  const { hintAtTags } = await import('./missing-tag.ts');
  const access = await prepareAccess(reference, options);
  try {
    return await hintAtTags(host, reference, error, access.options);
  } finally {
    access.remove();
  }
}

async function openVerifiedCopy(
  host: Host,
  source: string,
  scratch: Scratch,
  options: SourceOptions,
): Promise<ImageSource> {
  await requireRoomForCopy(host, source, scratch, options);
  return openPrivateCopy(host, source, await scratch.open(), { ...options, signatures: 'verified' });
}

function closingAlso(source: ImageSource, cleanUp: () => void): ImageSource {
  return {
    ...source,
    async close() {
      await source.close();
      cleanUp();
    },
  };
}

function rejected(name: string, verdict: Extract<TrustVerdict, { kind: 'reject' }>): AtomicError {
  return new AtomicError(
    'POLICY_REJECTED',
    `opening ${name}: the trust policy rejects it (scope "${verdict.scope}")`,
    {
      hint: 'See /etc/containers/policy.json and containers-policy.json(5).',
    },
  );
}

/**
 * Finds the name by which skopeo opens an image. skopeo compares manifests only with digests of sha256, so this function
 * compares the manifest with a digest of another algorithm.
 *
 * @throws AtomicError DIGEST_MISMATCH, IMAGE_NOT_FOUND, REGISTRY_AUTH, REGISTRY_UNREACHABLE
 */
async function nameBySha256(
  host: Host,
  reference: ImageReference,
  options: SkopeoOptions,
): Promise<ImageReference> {
  const { digest } = reference;
  if (digest === undefined || algorithmOf(digest) === 'sha256') return reference;
  const name = formatRequest(reference);
  const manifest = await readRawManifest(host, `docker://${name}`, options);
  if (digestAs(digest, manifest) === digest) {
    return pinReference(reference, computeDigest('sha256', manifest));
  }
  throw new AtomicError('DIGEST_MISMATCH', `reading the manifest of ${name}: its digest is wrong`, {
    hint: 'The registry or a proxy changed the data. Nothing was stored.',
  });
}
