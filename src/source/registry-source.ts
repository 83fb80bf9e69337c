/** Opens an image of a registry: short names, trust policy, the image proxy, the manifest's own bytes. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { AtomicError } from '../core/errors.ts';
import type { SourceOptions } from '../core/image.ts';
import { formatReference, type ImageReference } from '../core/reference.ts';
import { findAlias, listCandidates } from '../core/registries-conf.ts';
import { judgeRegistryImage, type TrustVerdict } from '../core/trust-policy.ts';
import type { Host } from '../host/host.ts';
import { readRegistriesConfFiles, readTrustPolicy } from './configuration.ts';
import { prepareAccess } from './credentials-file.ts';
import { ImageProxy, type OpenedImage } from './image-proxy.ts';
import { copyVerified, proxyEnforcesPolicy, readRawManifest } from './skopeo.ts';

/** An image that can be read. The caller closes it. */
export interface ImageSource {
  readonly proxy: ImageProxy;
  readonly image: OpenedImage;
  /** Where it comes from, as skopeo writes it: `docker://registry/name:tag`. */
  readonly location: string;
  /** Digest of the manifest, `sha256:...`. */
  readonly digest: string;
  /** The bytes that `digest` names. */
  readonly manifest: Buffer;
  close(): Promise<void>;
}

/**
 * Gives an existing folder on a disk, for a copy of an image whose signatures an old skopeo must check before we read it.
 *
 * @param manifest of that image, in OCI form, not verified yet: good for the sizes that it claims
 * @throws AtomicError NO_SPACE when the copy would not fit
 */
export type MakeScratch = (manifest: Buffer) => Promise<string>;

/**
 * @throws AtomicError IMAGE_NOT_FOUND, REGISTRY_AUTH, REGISTRY_UNREACHABLE, POLICY_REJECTED, MANIFEST_UNSUPPORTED,
 * SETTINGS_INVALID, TOOL_MISSING
 */
export async function openRegistryImage(
  host: Host,
  reference: ImageReference,
  makeScratch: MakeScratch,
  options: SourceOptions,
): Promise<ImageSource> {
  const candidates = findCandidates(host, reference);
  const failures: AtomicError[] = [];
  for (const candidate of candidates) {
    try {
      return await openCandidate(host, candidate, makeScratch, options);
    } catch (error) {
      const isLast = failures.length === candidates.length - 1;
      if (isLast || !(error instanceof AtomicError) || error.code !== 'IMAGE_NOT_FOUND') throw error;
      failures.push(error);
    }
  }
  throw new Error('a name without candidates');
}

function findCandidates(host: Host, reference: ImageReference): string[] {
  if (reference.registry !== undefined) return [formatReference(reference)];
  const conf = readRegistriesConfFiles(host);
  if (conf.searchRegistries.length === 0 && findAlias(conf, reference.repository) === undefined) {
    host.report({
      kind: 'warning',
      text: `The image \`${reference.repository}\` is not fully qualified.  The default registry configured for Skopeo will be used.`,
    });
  }
  return listCandidates(conf, reference.repository).map((repository) =>
    formatReference({ ...reference, repository }),
  );
}

async function openCandidate(
  host: Host,
  name: string,
  makeScratch: MakeScratch,
  options: SourceOptions,
): Promise<ImageSource> {
  const verdict = judgeRegistryImage(readTrustPolicy(host), name);
  if (verdict.kind === 'reject') throw rejected(name, verdict);
  const access = prepareAccess(host, name, options);
  try {
    const source =
      verdict.kind === 'verify' && !(await proxyEnforcesPolicy(host))
        ? await openVerifiedCopy(host, name, makeScratch, access.options)
        : await openThroughProxy(host, `docker://${name}`, access.options);
    return closingAlso(source, access.remove);
  } catch (error) {
    access.remove();
    throw error;
  }
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

/**
 * Lets `skopeo copy`, which checks signatures, copy the image into a private folder and reads it from there: the
 * image proxy of skopeo before 1.14 ignores the policy. The `dir:` form keeps the manifest as it is.
 */
async function openVerifiedCopy(
  host: Host,
  name: string,
  makeScratch: MakeScratch,
  options: SourceOptions,
): Promise<ImageSource> {
  const scratch = await makeScratch(await peekManifest(host, `docker://${name}`, options));
  const folder = mkdtempSync(`${scratch}/verified-`);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    await copyVerified(host, `docker://${name}`, `dir:${folder}`, options);
    const copy = await openThroughProxy(host, `dir:${folder}`, {});
    return closingAlso({ ...copy, location: `docker://${name}` }, remove);
  } catch (error) {
    remove();
    throw error;
  }
}

async function peekManifest(host: Host, source: string, options: SourceOptions): Promise<Buffer> {
  const proxy = await ImageProxy.start(host, options);
  try {
    return (await proxy.openImage(source)).manifest;
  } finally {
    await proxy.close();
  }
}

async function openThroughProxy(host: Host, source: string, options: SourceOptions): Promise<ImageSource> {
  const proxy = await ImageProxy.start(host, options);
  try {
    const image = await proxy.openImage(source);
    const manifest =
      digestOf(image.manifest) === image.digest
        ? image.manifest
        : await readRaw(host, source, image, options);
    return {
      proxy,
      image,
      location: source,
      digest: image.digest,
      manifest,
      close: () => proxy.close(),
    };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

/** The proxy converts Docker manifests; the store keeps the bytes that the digest names. */
async function readRaw(
  host: Host,
  source: string,
  image: OpenedImage,
  options: SourceOptions,
): Promise<Buffer> {
  const raw = await readRawManifest(host, pinDigest(source, image.digest), options);
  if (digestOf(raw) === image.digest) return raw;
  throw new AtomicError(
    'DIGEST_MISMATCH',
    `reading the manifest of ${source}: its digest is not ${image.digest}`,
    {
      hint: 'The image changed in the registry just now; pull again.',
    },
  );
}

function pinDigest(source: string, digest: string): string {
  if (!source.startsWith('docker://') || source.includes('@')) return source;
  return `${source.slice(0, source.lastIndexOf(':'))}@${digest}`;
}

function digestOf(data: Buffer): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
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
