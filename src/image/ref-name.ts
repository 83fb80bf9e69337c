/** Names of OSTree refs (compatibility S-01 to S-04). All of ours are below `ociimage/`. */
import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';

export const REF_FOLDER = 'ociimage';
/** A ref is a file of the repository, and a longer name no filesystem of Linux has. */
const MAX_ENCODED_BYTES = 255;

/**
 * `ociimage/` and the encoded name of an image such as `a/b:latest`: every byte outside `[A-Za-z0-9.-]` as `_XX`.
 *
 * @throws AtomicError BAD_REFERENCE when that is longer than the name of a file can be: no image is stored so
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

/** `ociimage/` and the hex of a blob digest `sha256:HEX`. */
export function formatBlobRef(digest: string): string {
  return `${REF_FOLDER}/${digest.slice(digest.indexOf(':') + 1)}`;
}

export type ParsedRef =
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'blob'; readonly digest: string }
  | { readonly kind: 'other' };

/**
 * Tells what a ref below `ociimage/` stands for. A blob is exactly 64 or 128 lower-case hex digits; an image always has a
 * tag or a digest and so an encoded `:`, which keeps `cafe:1` an image (the original took it for a blob, X-10). A
 * name that is not written as `formatImageRef` writes it is neither: nobody could ask for that image.
 *
 * @param name the last part of the ref, without `ociimage/`
 */
export function parseRefName(name: string): ParsedRef {
  if (/^[0-9a-f]{64}$/.test(name)) return { kind: 'blob', digest: `sha256:${name}` };
  if (/^[0-9a-f]{128}$/.test(name)) return { kind: 'blob', digest: `sha512:${name}` };
  if (!ENCODED.test(name)) return { kind: 'other' };
  const reference = decodeBytes(name);
  return reference?.includes(':') ? { kind: 'image', reference } : { kind: 'other' };
}

/** What `formatImageRef` writes: no byte is encoded that could stand for itself. */
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
 * Lists the hex digits of every digest in a manifest, whatever its kind: what it needs is among them, also when it is
 * of a kind or in a state that nobody can parse.
 */
export function listNamedDigests(manifest: string): readonly string[] {
  return [
    ...new Set(
      decodeEscapes(manifest).match(/(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{128})(?![0-9a-f])/g) ?? [],
    ),
  ];
}

/** JSON may write every character of a digest as `\u00XX`. */
function decodeEscapes(json: string): string {
  return json.replace(/\\u00([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
