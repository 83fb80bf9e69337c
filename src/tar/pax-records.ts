/** Extended headers of POSIX tar: records `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record. */
import { layerRejected } from './layer-rejected.ts';

/** Keys of a sparse file of version 0.0; the header repeats both, in turn, for each area. */
const AREA_KEYS = ['GNU.sparse.offset', 'GNU.sparse.numbytes'] as const;
/** Key of version 0.1: all these values in one record. */
const AREAS_KEY = 'GNU.sparse.map';

/**
 * Reads the records of one header. When a key occurs twice, the last value counts.
 *
 * @param offset place in the archive in bytes, for the message
 * @throws AtomicError LAYER_REJECTED when a length does not fit
 */
export function parsePaxRecords(data: Buffer, offset: number): ReadonlyMap<string, Buffer> {
  const records = new Map<string, Buffer>();
  const areas: string[] = [];
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    const digits = space < 0 ? '' : data.toString('latin1', at, space);
    const length = /^[0-9]{1,7}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = data.indexOf(0x3d, space);
    if (length === 0 || end > data.length || data[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw layerRejected('a malformed PAX header', offset);
    }
    const key = data.toString('utf8', space + 1, equals);
    const value = data.subarray(equals + 1, end - 1);
    if (key === AREA_KEYS[areas.length % 2]) areas.push(value.toString('latin1'));
    else if (AREA_KEYS.some((other) => other === key)) throw layerRejected('a malformed PAX header', offset);
    else records.set(key, value);
    at = end;
  }
  if (areas.length === 0) return records;
  if (records.has(AREAS_KEY)) throw layerRejected('two maps of one sparse file', offset);
  return records.set(AREAS_KEY, Buffer.from(areas.join(',')));
}
