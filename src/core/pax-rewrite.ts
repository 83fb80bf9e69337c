/** What the unpacker gets instead of a PAX header that libarchive or libostree would not take as it is. */
import { compareUtf8 } from './compare-utf8.ts';
import { formatPaxRecord } from './pax-records.ts';

/** Makes libarchive take the names of a PAX header as they are; otherwise it composes their characters (NFC). */
export const binaryNamesRecord: Buffer = formatPaxRecord('hdrcharset', Buffer.from('BINARY'));

const NAME_RECORDS = ['path', 'linkpath', 'uname', 'gname'];
/** Keys of extended attributes. */
export const ATTRIBUTE = /^(?:SCHILY|LIBARCHIVE)\.xattr\./;

type Records = ReadonlyMap<string, Buffer>;

/**
 * @param data the records as they are in the archive
 * @returns other records with the same meaning; `undefined` when they can stay as they are
 */
export function rewritePaxData(data: Buffer, records: Records): Buffer | undefined {
  const attributes = [...records.keys()].filter((key) => ATTRIBUTE.test(key));
  const ordered = attributes.length < 2 ? undefined : orderAttributes(records, attributes);
  if (!hasForeignNames(records)) return ordered;
  return Buffer.concat([ordered ?? data, binaryNamesRecord]);
}

/**
 * libostree puts extended attributes into the checksum of a file in the order in which libarchive gives them, which is
 * the reverse of the archive's; the checksum of the file on the disk has them sorted. So the last goes first.
 */
function orderAttributes(records: Records, attributes: readonly string[]): Buffer {
  const others = [...records.keys()].filter((key) => !attributes.includes(key));
  const sorted = attributes.toSorted((a, b) =>
    compareUtf8(b.replace(ATTRIBUTE, ''), a.replace(ATTRIBUTE, '')),
  );
  return Buffer.concat(
    [...others, ...sorted].map((key) => formatPaxRecord(key, records.get(key) ?? Buffer.alloc(0))),
  );
}

function hasForeignNames(records: Records): boolean {
  return NAME_RECORDS.some((key) => records.get(key)?.some((byte) => byte >= 0x80));
}
