/** Names of OSTree refs (compatibility S-01 to S-04). All refs of atomic are below `ociimage/`. */

import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import { type Digest, findDigestOf } from './digest.ts';

export const REF_FOLDER = 'ociimage';
/** A ref is a file of the repository; filesystems of Linux allow no longer name. */
const MAX_ENCODED_BYTES = 255;

/**
 * Builds the name of the ref of an image: `ociimage/` and the encoded name, such as `a/b:latest` with every byte outside
 * `[A-Za-z0-9.-]` as `_XX`.
 *
 * @throws AtomicError BAD_REFERENCE when the result is too long for the name of a file
 */
export function formatImageRef(reference: string): string {
  const bytes = Buffer.from(reference, 'utf8').toString('latin1');
  const encoded = bytes.replace(
    /[^A-Za-z0-9.-]/g,
    (byte) => `_${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  if (encoded.length > MAX_ENCODED_BYTES) {
    throw new AtomicError(
      'BAD_REFERENCE',
      `reading the image name '${toPrintable(reference, 80)}': it is too long to be stored: encoded it has ${encoded.length} bytes, more than ${MAX_ENCODED_BYTES}`,
      { hint: 'Use a shorter name; a pull stores an image under another one with --as NAME[:TAG].' },
    );
  }
  return `${REF_FOLDER}/${encoded}`;
}

/** Builds the name of the ref of a layer or configuration: `ociimage/` and the hex of its digest `sha256:HEX`. */
export function formatBlobRef(digest: Digest): string {
  return `${REF_FOLDER}/${digest.slice(digest.indexOf(':') + 1)}`;
}

export type ParsedRef =
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'blob'; readonly digest: Digest }
  | { readonly kind: 'other' };

/**
 * Parses the name of a ref below `ociimage/`. The name of a blob is exactly 64 or 128 lower-case hex digits. The name
 * of an image always has a tag or a digest, and so an encoded `:`; the original read `cafe:1` as a blob. A name
 * that `formatImageRef` would write in another way is neither: no command could name that image.
 *
 * @param name the last part of the ref, without `ociimage/`
 */
export function parseRefName(name: string): ParsedRef {
  const digest = findDigestOf(name);
  if (digest !== undefined) return { kind: 'blob', digest };
  if (!ENCODED.test(name)) return { kind: 'other' };
  const reference = decodeBytes(name);
  return reference?.includes(':') ? { kind: 'image', reference } : { kind: 'other' };
}

/** The form that `formatImageRef` writes: it encodes a byte only when it must. */
const ENCODED = /^(?:[A-Za-z0-9.-]|_(?!2[DE]|3[0-9]|4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A])[0-9A-F]{2})+$/;

/** @param encoded matches `ENCODED`; @returns `undefined` when its bytes are not UTF-8 */
function decodeBytes(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll('_', '%'));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/**
 * Lists the refs of every digest in a manifest. They include every blob that the manifest needs, even when its kind is
 * unknown or it is damaged.
 */
export function listNamedBlobs(manifest: string): readonly string[] {
  const words = decodeEscapes(manifest).match(/[0-9a-f]{64,}/g) ?? [];
  return [...new Set(words.flatMap((hex) => findDigestOf(hex) ?? []))].map(formatBlobRef);
}

/** JSON may write every character of a digest as `\u00XX`. */
function decodeEscapes(json: string): string {
  return json.replace(/\\u00([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
