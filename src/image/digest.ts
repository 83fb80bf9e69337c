/** Digests of blobs and manifests (OCI image specification, "Digests"): `ALGORITHM:HEX`, with its registered algorithms. */

const HEX_DIGITS = { sha256: 64, sha512: 128 } as const;
const DIGEST = /^(sha256|sha512):([0-9a-f]+)$/;

declare const brand: unique symbol;

/** Only this module makes a digest: from text that it has checked, or from a hash. */
export type Digest = string & { readonly [brand]: 'Digest' };

export type DigestAlgorithm = keyof typeof HEX_DIGITS;

export function isDigest(value: unknown): value is Digest {
  const [, algorithm, hex] = typeof value === 'string' ? (DIGEST.exec(value) ?? []) : [];
  return hex !== undefined && hex.length === HEX_DIGITS[algorithm as DigestAlgorithm];
}

/** @throws Error for any other text: the caller has it from this program */
export function toDigest(text: string): Digest {
  if (!isDigest(text)) throw new Error(`not a digest: ${JSON.stringify(text)}`);
  return text;
}

/** Finds the digest that has these hex digits: their number names the algorithm. */
export function findDigestOf(hex: string): Digest | undefined {
  return [`sha256:${hex}`, `sha512:${hex}`].find(isDigest);
}

/** Returns the hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Finds the algorithm of a digest. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** Computes the digest of data with the algorithm of another digest, for a comparison. */
export function digestAs(digest: Digest, data: string | Uint8Array): Digest {
  return computeDigest(algorithmOf(digest), data);
}

export function computeDigest(algorithm: DigestAlgorithm, data: string | Uint8Array): Digest {
  return `${algorithm}:${Bun.CryptoHasher.hash(algorithm, data, 'hex')}` as Digest;
}

/** Finishes a hash of the algorithm. */
export function finishDigest(algorithm: DigestAlgorithm, hash: Bun.CryptoHasher): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest;
}
