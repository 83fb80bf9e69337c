/** Extended attributes in PAX headers: `SCHILY.xattr.NAME` with the value, `LIBARCHIVE.xattr.NAME` with it in base64. */
import type { Xattr } from '../ostree/ostree-objects.ts';

const PLAIN = 'SCHILY.xattr.';
const ENCODED = 'LIBARCHIVE.xattr.';

/** A record that is not a well-formed attribute. The kernel decides whether a file can have a well-formed one. */
export class MalformedXattr extends Error {}

/**
 * @param records of one PAX header
 * @returns attributes sorted by the bytes of their names, each once; of two records of an attribute, the `SCHILY`
 *   record counts
 * @throws MalformedXattr
 */
export function parsePaxXattrs(records: ReadonlyMap<string, Buffer>): readonly Xattr[] {
  const values = new Map<string, Buffer>();
  for (const [key, value] of records) {
    if (key.startsWith(ENCODED)) values.set(decodeName(key.slice(ENCODED.length)), decodeValue(value));
  }
  for (const [key, value] of records) {
    if (key.startsWith(PLAIN)) values.set(key.slice(PLAIN.length), value);
  }
  return [...values]
    .map(([name, value]): Xattr => [Buffer.from(`${checkName(name)}\0`, 'utf8'), Buffer.from(value)])
    .sort(([a], [b]) => Buffer.compare(a, b));
}

function checkName(name: string): string {
  if (name === '' || name.includes('\0')) throw new MalformedXattr('an extended attribute without a name');
  return name;
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch (error) {
    if (error instanceof URIError) throw new MalformedXattr('an extended attribute with a malformed name');
    throw error;
  }
}

function decodeValue(value: Buffer): Buffer {
  const text = value.toString('latin1');
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return Buffer.from(text, 'base64');
  throw new MalformedXattr('an extended attribute that is not base64');
}
