/** One 512-byte tar header as data (POSIX ustar, PAX and GNU variants). */
import { AtomicError } from './errors.ts';

export const TAR_BLOCK_BYTES = 512;

export interface TarHeader {
  /** Type flag as a character; an old file is `'0'`. */
  readonly type: string;
  /** Name with the ustar prefix, as bytes. */
  readonly name: Buffer;
  /** Bytes of content that follow, without padding. */
  readonly size: number;
}

const NAME = [0, 100] as const;
const SIZE = [124, 136] as const;
const CHECKSUM = [148, 156] as const;
const TYPE_OFFSET = 156;
const MAGIC = [257, 263] as const;
const PREFIX = [345, 500] as const;
/** The checksum field itself counts as eight spaces. */
const SUM_OF_ZEROS = 8 * 0x20;

/**
 * @param block exactly one block
 * @param offset where the block begins in the stream, for the message
 * @returns `undefined` for a block of zeros, which ends an archive
 * @throws AtomicError LAYER_REJECTED when the checksum or a number is wrong
 */
export function parseTarHeader(block: Buffer, offset: number): TarHeader | undefined {
  const stored = parseNumber(block.subarray(...CHECKSUM));
  const sum = sumOf(block);
  if (sum.unsigned === SUM_OF_ZEROS && stored === 0) return undefined;
  if (stored === undefined || (stored !== sum.unsigned && stored !== sum.signed)) {
    throw new AtomicError('LAYER_REJECTED', `reading the layer's archive: no tar header at byte ${offset}`, {
      hint: 'The layer is damaged or not a tar archive; build and push the image again.',
    });
  }
  const size = parseNumber(block.subarray(...SIZE));
  if (size === undefined || !Number.isSafeInteger(size) || size < 0) {
    throw new AtomicError(
      'LAYER_REJECTED',
      `reading the layer's archive: a size that is no number at byte ${offset}`,
    );
  }
  const flag = block[TYPE_OFFSET] ?? 0;
  const type = flag === 0 ? '0' : String.fromCharCode(flag);
  const magic = block.toString('latin1', ...MAGIC);
  const prefix = magic === 'ustar\0' ? textField(block.subarray(...PREFIX)) : Buffer.alloc(0);
  const name = textField(block.subarray(...NAME));
  return {
    type,
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    size,
  };
}

/** The sum of all bytes with the checksum field as spaces; old writers summed signed bytes. */
function sumOf(block: Buffer): { unsigned: number; signed: number } {
  let unsigned = 0;
  let signed = 0;
  for (let index = 0; index < TAR_BLOCK_BYTES; index++) {
    const byte = index >= CHECKSUM[0] && index < CHECKSUM[1] ? 0x20 : (block[index] ?? 0);
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  return { unsigned, signed };
}

function textField(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal text, or the base-256 form of GNU whose first byte has its high bit set. */
function parseNumber(field: Buffer): number | undefined {
  const first = field[0] ?? 0;
  if (first === 0x80) return [...field.subarray(1)].reduce((value, byte) => value * 256 + byte, 0);
  if (first > 0x80) return undefined;
  const text = textField(field).toString('latin1').trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}
