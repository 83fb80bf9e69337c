/** Checksums of OSTree objects: SHA-256 as 64 lower-case hex digits, without an algorithm. */

declare const brand: unique symbol;

/** The checksum of an object. Only this module makes one: from text that it has checked, or from a hash. */
export type Checksum = string & { readonly [brand]: 'Checksum' };

/** Length of a checksum in bytes. */
export const CHECKSUM_BYTES = 32;

const CHECKSUM = /^[0-9a-f]{64}$/;

export function isChecksum(text: string): text is Checksum {
  return CHECKSUM.test(text);
}

/** @throws Error for any other text: the caller has it from libostree or from this program */
export function toChecksum(text: string): Checksum {
  if (!isChecksum(text)) throw new Error(`not a checksum: ${JSON.stringify(text)}`);
  return text;
}

export function computeChecksum(data: Buffer): Checksum {
  return Bun.CryptoHasher.hash('sha256', data, 'hex') as Checksum;
}

/** Finishes a hash of SHA-256. */
export function finishChecksum(hash: Bun.CryptoHasher): Checksum {
  return toChecksum(hash.digest('hex'));
}

/** Reads a checksum of 32 bytes; `undefined` when the range has another length. */
export function readChecksum(data: Buffer, start: number, end: number): Checksum | undefined {
  return end - start === CHECKSUM_BYTES ? (data.toString('hex', start, end) as Checksum) : undefined;
}
