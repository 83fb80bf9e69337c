/** The header and the trailer of a gzip file (RFC 1952, 2.3). */
import type { Compressor } from './compressors.ts';

const MAGIC = Buffer.from([0x1f, 0x8b, 8]);
const FIXED_BYTES = 10;
const FLAGS_OFFSET = 3;
const EFFORT_OFFSET = 8;
const SYSTEM_OFFSET = 9;
const Flag = { checksum: 2, extra: 4, name: 8, comment: 16 } as const;
const UNIX = 3;
const UNKNOWN_SYSTEM = 255;

/**
 * @param start first bytes of the file
 * @returns the header; `undefined` when there is none or it does not end in `start`
 */
export function findGzipHeader(start: Buffer): Buffer | undefined {
  if (start.length < FIXED_BYTES || !start.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const flags = start[FLAGS_OFFSET] ?? 0;
  let end = FIXED_BYTES;
  if ((flags & Flag.extra) !== 0)
    end += 2 + (end + 2 <= start.length ? start.readUInt16LE(end) : start.length);
  for (const flag of [Flag.name, Flag.comment]) {
    if ((flags & flag) === 0) continue;
    const nul = start.indexOf(0, end);
    if (nul < 0) return undefined;
    end = nul + 1;
  }
  if ((flags & Flag.checksum) !== 0) end += 2;
  return end <= start.length ? start.subarray(0, end) : undefined;
}

/** Formats the header that a compressor writes by default. */
export function formatGzipHeader(compressor: Compressor): Buffer {
  const header = Buffer.alloc(FIXED_BYTES);
  header.set(MAGIC);
  header[SYSTEM_OFFSET] = compressor.kind === 'go' ? UNKNOWN_SYSTEM : UNIX;
  if (compressor.kind === 'zlib' || compressor.kind === 'zlib-ng') {
    header[EFFORT_OFFSET] = compressor.level === 9 ? 2 : compressor.level === 1 ? 4 : 0;
  }
  return header;
}

/**
 * @param crc CRC-32 of the content
 * @param size length of the content in bytes
 */
export function formatGzipTrailer(crc: number, size: number): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc >>> 0, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  return trailer;
}
