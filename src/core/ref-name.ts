/** Names of OSTree refs (compatibility S-01 to S-04). All of ours are below `ociimage/`. */

export const REF_FOLDER = 'ociimage';

/** `ociimage/` and the encoded name of an image such as `a/b:latest`: every byte outside `[A-Za-z0-9.-]` as `_XX`. */
export function formatImageRef(reference: string): string {
  const encoded = [...Buffer.from(reference, 'utf8')].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9.-]/.test(character)
      ? character
      : `_${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return `${REF_FOLDER}/${encoded.join('')}`;
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
 * Tells what a ref below `ociimage/` stands for. A blob is exactly 64 lower-case hex digits; an image always has a
 * tag or a digest and so an encoded `:`, which keeps `cafe:1` an image (the original took it for a blob, X-10). A
 * name that is not written as `formatImageRef` writes it is neither: nobody could ask for that image.
 *
 * @param name the last part of the ref, without `ociimage/`
 */
export function parseRefName(name: string): ParsedRef {
  if (/^[0-9a-f]{64}$/.test(name)) return { kind: 'blob', digest: `sha256:${name}` };
  const bytes = name.replace(/_([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const reference = Buffer.from(bytes, 'latin1').toString('utf8');
  const isImage = reference.includes(':') && formatImageRef(reference) === `${REF_FOLDER}/${name}`;
  return isImage ? { kind: 'image', reference } : { kind: 'other' };
}

/**
 * Lists the hex digits of every digest in a manifest, whatever its kind: what it needs is among them, also when it is
 * of a kind or in a state that nobody can parse.
 */
export function listNamedDigests(manifest: string): readonly string[] {
  return [...new Set(manifest.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) ?? [])];
}
