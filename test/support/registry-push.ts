/** Pushes built images over the registry API, byte for byte: no program in between converts or checks anything. */
import { type Blob, type BuiltImage, type BuiltIndex, listBlobs } from './oci-image.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A registry as `startRegistry` returns it, or any other that speaks plain HTTP. */
export interface RegistryAddress {
  /** `HOST:PORT`. */
  readonly address: string;
  readonly credentials?: Credentials | undefined;
}

/**
 * Pushes `artifact` as `repository:tag`, an index with all its images. Blobs that the registry has are not sent again.
 *
 * @returns the reference to pull, `HOST:PORT/REPOSITORY:TAG`
 * @throws Error with the registry's answer. Debian's finds out that the digest of a blob lies; put a faulty registry in
 * front of it to serve one
 */
export async function pushImage(
  registry: RegistryAddress,
  repository: string,
  artifact: BuiltImage | BuiltIndex,
  tag = 'latest',
): Promise<string> {
  for (const blob of listBlobs(artifact)) await pushBlob(registry, repository, blob);
  const images = artifact.type === 'image' ? [] : artifact.images;
  for (const { manifest } of images) await pushManifest(registry, repository, manifest, manifest.digest);
  await pushManifest(registry, repository, artifact.manifest, tag);
  return `${registry.address}/${repository}:${tag}`;
}

/** @param reference a tag or a digest */
export async function pushManifest(
  registry: RegistryAddress,
  repository: string,
  manifest: Blob,
  reference: string,
): Promise<void> {
  await request(registry, `/v2/${repository}/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: manifest.data,
  });
}

async function pushBlob(registry: RegistryAddress, repository: string, blob: Blob): Promise<void> {
  const path = `/v2/${repository}/blobs`;
  const known = await request(registry, `${path}/${blob.digest}`, { method: 'HEAD' }, [404]);
  if (known.status !== 404) return;
  const upload = await request(registry, `${path}/uploads/`, { method: 'POST' });
  const location = new URL(upload.headers.get('location') ?? '', `http://${registry.address}`);
  location.searchParams.set('digest', blob.digest);
  await request(registry, `${location.pathname}${location.search}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: blob.data,
  });
}

async function request(
  registry: RegistryAddress,
  path: string,
  init: { method: string; headers?: Record<string, string>; body?: Uint8Array },
  accepted: readonly number[] = [],
): Promise<Response> {
  const headers = { ...init.headers, ...authorization(registry.credentials) };
  const response = await fetch(`http://${registry.address}${path}`, { ...init, headers, redirect: 'manual' });
  if (!response.ok && !accepted.includes(response.status)) {
    throw new Error(`${init.method} ${path}: ${response.status} ${await response.text()}`);
  }
  await response.bytes();
  return response;
}

function authorization(credentials: Credentials | undefined): Record<string, string> {
  if (credentials === undefined) return {};
  const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}
