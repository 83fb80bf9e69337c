/**
 * One 512-byte tar header as data (POSIX ustar, PAX and GNU variants). Fields are read as libarchive reads them. Values that
 * readers of tar interpret differently are refused.
 */
import { PERMISSIONS } from '../base/file-mode.ts';
import { layerRejected } from './layer-rejected.ts';

export const TAR_BLOCK_BYTES = 512;
/** Type of a file, or of a directory if the name ends with a slash. */
export const OLD_FILE = '\0';

export interface TarHeader {
  /** Type flag as a character; `OLD_FILE` in archives older than POSIX. */
  readonly type: string;
  /** Name with the ustar prefix, as bytes. */
  readonly name: Buffer;
  /** Target of a hard link or symlink, as bytes. */
  readonly linkName: Buffer;
  /** Length of the content that follows, in bytes, without padding. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whether the fields that GNU tar used for sparse files are set. Readers use them with any type. */
  readonly isOldSparse: boolean;
}

const NAME = [0, 100] as const;
const MODE = [100, 108] as const;
const UID = [108, 116] as const;
const GID = [116, 124] as const;
const SIZE = [124, 136] as const;
const CHECKSUM = [148, 156] as const;
const TYPE_OFFSET = 156;
const LINK_NAME = [157, 257] as const;
/** Bytes of magic and version together. GNU's header has its own, and other fields in the place of the POSIX prefix. */
const MAGIC = [257, 265] as const;
const PREFIX = [345, 500] as const;
const SLASH = 0x2f;
const FIRST_SPARSE_OFFSET = 386;
const REAL_SIZE_OFFSET = 483;
/** The checksum field itself counts as eight spaces. */
const SUM_OF_ZEROS = 8 * 0x20;

/**
 * @param block exactly one block
 * @param offset beginning of the block in the archive in bytes, for the message
 * @returns `undefined` for a block of zeros, which ends an archive
 * @throws AtomicError LAYER_REJECTED when the checksum or a number is wrong
 */
export function parseTarHeader(block: Buffer, offset: number): TarHeader | undefined {
  const sum = sumOf(block);
  const checksum = block.subarray(...CHECKSUM);
  if (sum.unsigned === SUM_OF_ZEROS && checksum.every((byte) => byte === 0)) return undefined;
  const stored = parseNumber(checksum);
  if (stored === undefined || (stored !== sum.unsigned && stored !== sum.signed)) {
    throw layerRejected('no tar header', offset);
  }
  const size = parseNumber(block.subarray(...SIZE));
  if (size === undefined || !Number.isSafeInteger(size))
    throw layerRejected('a size that is no number', offset);
  const mode = parseNumber(block.subarray(...MODE));
  if (mode === undefined) throw layerRejected('a mode that is no number', offset);
  const uid = parseNumber(block.subarray(...UID));
  const gid = parseNumber(block.subarray(...GID));
  if (uid === undefined || gid === undefined) throw layerRejected('an owner that is no number', offset);
  const flag = block[TYPE_OFFSET] ?? 0;
  const magic = block.toString('latin1', ...MAGIC);
  const isGnu = magic === 'ustar  \0';
  return {
    type: String.fromCharCode(flag),
    name: readName(block, !isGnu && magic.startsWith('ustar')),
    linkName: textField(block.subarray(...LINK_NAME)),
    size,
    // Only the lower 32 bits of a larger number count here; no program writes one.
    mode: mode & PERMISSIONS,
    uid,
    gid,
    isOldSparse: isGnu && (block[FIRST_SPARSE_OFFSET] !== 0 || block[REAL_SIZE_OFFSET] !== 0),
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

function readName(block: Buffer, hasPrefix: boolean): Buffer {
  const name = textField(block.subarray(...NAME));
  const prefix = hasPrefix ? textField(block.subarray(...PREFIX)) : Buffer.alloc(0);
  if (prefix.length === 0) return name;
  return Buffer.concat(prefix.at(-1) === SLASH ? [prefix, name] : [prefix, Buffer.of(SLASH), name]);
}

function textField(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal text, or the base-256 form of GNU whose first byte is 0x80; its negative numbers are refused. */
function parseNumber(field: Buffer): number | undefined {
  const first = field[0] ?? 0;
  if (first === 0x80) return [...field.subarray(1)].reduce((value, byte) => value * 256 + byte, 0);
  if (first > 0x80) return undefined;
  const digits = /^ *([0-7]*) *$/.exec(textField(field).toString('latin1'))?.[1];
  if (digits === undefined) return undefined;
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}
