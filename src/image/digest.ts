/** Digests of blobs and manifests (OCI image specification, "Digests"): `ALGORITHM:HEX`, with its registered algorithms. */
import { createHash, type Hash } from 'node:crypto';

const HEX_DIGITS = { sha256: 64, sha512: 128 } as const;
const DIGEST = /^(sha256|sha512):([0-9a-f]+)$/;

export type DigestAlgorithm = keyof typeof HEX_DIGITS;

export function isDigest(value: unknown): value is string {
  const [, algorithm, hex] = typeof value === 'string' ? (DIGEST.exec(value) ?? []) : [];
  return hex !== undefined && hex.length === HEX_DIGITS[algorithm as DigestAlgorithm];
}

/** Finds the algorithm of a digest. For an unknown one it returns `sha256`: such a digest then matches no data. */
export function algorithmOf(digest: string): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** Computes the digest of data with the algorithm of another digest, for a comparison. */
export function digestAs(digest: string, data: string | Uint8Array): string {
  const algorithm = algorithmOf(digest);
  return formatDigest(algorithm, createHash(algorithm).update(data));
}

export function formatDigest(algorithm: DigestAlgorithm, hash: Hash): string {
  return `${algorithm}:${hash.digest('hex')}`;
}
