/** Formats the header and the padding of one regular file, for archives that another program reads. */
import { TAR_BLOCK_BYTES } from './tar-header.ts';

/** Two blocks of zeros. */
export const TAR_END = Buffer.alloc(2 * TAR_BLOCK_BYTES);
const LARGEST_OCTAL_SIZE = 0o77777777777;

/** @param name ASCII, at most 100 bytes */
export function formatMemberHeader(name: string, size: number): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  block.write(name, 0, 100, 'latin1');
  block.write('0000600\x000000000\x000000000\0', 100, 'latin1');
  if (size <= LARGEST_OCTAL_SIZE) {
    block.write(size.toString(8).padStart(11, '0'), 124, 'latin1');
  } else {
    // GNU's form of large numbers, which all readers accept.
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write('00000000000\0', 136, 'latin1');
  block.write('        0', 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Zeros between the content and the next header. */
export function formatPadding(size: number): Buffer {
  return Buffer.alloc((TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
}
