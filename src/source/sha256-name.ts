import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { algorithmOf, digestAs } from '../image/digest.ts';
import { readRawManifest } from './skopeo/skopeo.ts';
import type { SkopeoOptions } from './skopeo/source-flags.ts';

/**
 * Finds the name by which skopeo opens an image: it compares manifests with digests of sha256 only. The manifest that a
 * digest of another algorithm names is compared with that here.
 *
 * @param name of a registry, with tag or digest
 * @throws AtomicError DIGEST_MISMATCH, IMAGE_NOT_FOUND, REGISTRY_AUTH, REGISTRY_UNREACHABLE
 */
export async function nameBySha256(host: Host, name: string, options: SkopeoOptions): Promise<string> {
  const [repository = '', digest] = name.split('@');
  if (digest === undefined || algorithmOf(digest) === 'sha256') return name;
  const manifest = await readRawManifest(host, `docker://${name}`, options);
  if (digestAs(digest, manifest) === digest) return `${repository}@${digestAs('sha256:', manifest)}`;
  throw new AtomicError('DIGEST_MISMATCH', `reading the manifest of ${name}: its digest is another one`, {
    hint: 'The registry or something in between changed the data. Nothing was stored.',
  });
}
