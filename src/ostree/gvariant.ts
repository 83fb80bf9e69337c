/**
 * The serialised form of GVariant values, as far as OSTree's metadata objects need it (GVariant specification,
 * "Serialisation Format"). A small schema describes a container type once, and its codec decodes and encodes; this
 * module does not depend on OSTree.
 *
 * Decoding checks every offset against the data, because a repository may be damaged.
 */

import { isUtf8 } from 'node:buffer';
import { type TextPieces, VariantWriter } from './variant-writer.ts';

/** How to decode and encode one type. `fixedSize` is the size in bytes, or `undefined` for a type of varying size. */
export interface VariantCodec<T> {
  readonly alignment: number;
  readonly fixedSize: number | undefined;
  /** Decodes a part of `data`, by default all of it. Offsets are faster than a new buffer for every member. */
  decode(data: Buffer, start?: number, end?: number): T;
  /** Writes the value. The position of the writer must be a multiple of the alignment. */
  write(value: T, out: VariantWriter): void;
}

export function encodeVariant<T>(codec: VariantCodec<T>, value: T): Buffer {
  const out = new VariantWriter();
  codec.write(value, out);
  return out.finish();
}

/** As `encodeVariant`, in pieces; see `TextPieces`. */
export function encodeVariantPieces<T>(codec: VariantCodec<T>, value: T): Iterable<Buffer> {
  const out = new VariantWriter();
  codec.write(value, out);
  return out.finishPieces();
}

/** The data is not a serialised value of the expected type. */
export class VariantMalformed extends Error {
  constructor(reason: string) {
    super(`malformed variant: ${reason}`);
    this.name = 'VariantMalformed';
  }
}

/** Type `s`: UTF-8 with a final NUL. */
export const variantString: VariantCodec<string> = {
  alignment: 1,
  fixedSize: undefined,
  decode(data, start = 0, end = data.length) {
    const last = end - 1;
    const text = data.toString('utf8', start, last);
    if (end === start || data[last] !== 0 || text.includes('\0'))
      throw new VariantMalformed('a string that does not end with its NUL');
    // The decoder replaces bytes that are not UTF-8 by this character, which the text may also contain.
    if (text.includes('\ufffd') && !isUtf8(data.subarray(start, last))) {
      throw new VariantMalformed('a string that is not UTF-8');
    }
    return text;
  },
  write: (value, out) => out.text(value),
};

/** Type `ay`. */
export const variantBytes: VariantCodec<Buffer> = {
  alignment: 1,
  fixedSize: undefined,
  decode: (data, start = 0, end = data.length) => data.subarray(start, end),
  write: (value, out) => out.bytes(value),
};

/** Type `u` in big-endian order, as OSTree writes its numbers. */
export const variantBigEndianUint32: VariantCodec<number> = {
  alignment: 4,
  fixedSize: 4,
  decode(data, start = 0, end = data.length) {
    if (end - start !== 4) throw new VariantMalformed('a uint32 that is not 4 bytes');
    return data.readUInt32BE(start);
  },
  write: (value, out) => out.bigEndianUint32(value),
};

/** Type `t` in big-endian order. */
export const variantBigEndianUint64: VariantCodec<bigint> = {
  alignment: 8,
  fixedSize: 8,
  decode(data, start = 0, end = data.length) {
    if (end - start !== 8) throw new VariantMalformed('a uint64 that is not 8 bytes');
    return data.readBigUInt64BE(start);
  },
  write: (value, out) => out.bigEndianUint64(value),
};

/**
 * Type `v` with a string in it. A value of another type decodes as `undefined`, which cannot be encoded. A long text may be
 * encoded from pieces, so that it need not be in memory as a whole.
 */
export const variantBoxedString: VariantCodec<string | TextPieces | undefined> = {
  alignment: 8,
  fixedSize: undefined,
  decode(data, start = 0, end = data.length) {
    const separator = end === 0 ? -1 : data.lastIndexOf(0, end - 1);
    if (separator < start) throw new VariantMalformed('a boxed value without a type');
    const isString = separator === end - 2 && data[end - 1] === STRING_TYPE;
    return isString ? variantString.decode(data, start, separator) : undefined;
  },
  write(value, out) {
    if (value === undefined) throw new Error('a boxed value that is not a string');
    out.text(value);
    out.bytes(BOXED_STRING_END);
  },
};

const STRING_TYPE = 's'.charCodeAt(0);
const BOXED_STRING_END = Buffer.from('\0s', 'latin1');

/** Array of a type of varying size: elements, then their end offsets. */
export function variantArray<T>(element: VariantCodec<T>): VariantCodec<readonly T[]> {
  if (element.fixedSize !== undefined)
    throw new Error('arrays of fixed-size elements are not used by OSTree');
  return {
    alignment: element.alignment,
    fixedSize: undefined,
    decode(data, from = 0, to = data.length) {
      if (from === to) return [];
      const width = offsetWidth(to - from);
      const tableStart = from + readOffset(data, to - width, width);
      const tableBytes = to - tableStart;
      if (tableStart < from || tableBytes < width || tableBytes % width !== 0) {
        throw new VariantMalformed('an array with a wrong offset table');
      }
      const values: T[] = [];
      let start = 0;
      for (let at = tableStart; at < to; at += width) {
        const end = readOffset(data, at, width);
        start = alignUp(start, element.alignment);
        checkRange(from + start, from + end, tableStart);
        values.push(element.decode(data, from + start, from + end));
        start = end;
      }
      return values;
    },
    write(values, out) {
      const start = out.length;
      const ends: number[] = [];
      for (const value of values) {
        out.pad(element.alignment);
        element.write(value, out);
        ends.push(out.length - start);
      }
      out.offsets(start, ends);
    },
  };
}

/** Tuple or dictionary entry: members in order, then the end offsets of the varying ones but the last, reversed. */
export function variantTuple<T extends readonly unknown[]>(
  ...members: { [K in keyof T]: VariantCodec<T[K]> }
): VariantCodec<T> {
  const codecs: readonly VariantCodec<unknown>[] = members as readonly VariantCodec<unknown>[];
  const alignment = Math.max(...codecs.map((member) => member.alignment));
  const framed = codecs.filter(
    (member, index) => member.fixedSize === undefined && index < codecs.length - 1,
  ).length;
  const fixedSize = fixedTupleSize(codecs, alignment);
  return {
    alignment,
    fixedSize,
    decode(data, from = 0, to = data.length) {
      const width = offsetWidth(to - from);
      const bodyEnd = to - framed * width;
      if (bodyEnd < from) throw new VariantMalformed('a tuple shorter than its offsets');
      const values: unknown[] = [];
      let start = 0;
      let tableAt = to;
      for (let index = 0; index < codecs.length; index++) {
        const member = codecs[index] as VariantCodec<unknown>;
        start = alignUp(start, member.alignment);
        let end = bodyEnd - from;
        if (member.fixedSize !== undefined) {
          end = start + member.fixedSize;
        } else if (index < codecs.length - 1) {
          tableAt -= width;
          end = readOffset(data, tableAt, width);
        }
        checkRange(from + start, from + end, bodyEnd);
        values.push(member.decode(data, from + start, from + end));
        start = end;
      }
      return values as unknown as T;
    },
    write(values, out) {
      const start = out.length;
      const ends: number[] = [];
      codecs.forEach((member, index) => {
        out.pad(member.alignment);
        member.write(values[index], out);
        if (member.fixedSize === undefined && index < codecs.length - 1) ends.unshift(out.length - start);
      });
      if (fixedSize !== undefined) out.pad(alignment);
      out.offsets(start, ends);
    },
  };
}

function fixedTupleSize(codecs: readonly VariantCodec<unknown>[], alignment: number): number | undefined {
  let size = 0;
  for (const { fixedSize, alignment: memberAlignment } of codecs) {
    if (fixedSize === undefined) return undefined;
    size = alignUp(size, memberAlignment) + fixedSize;
  }
  return alignUp(size, alignment);
}

function checkRange(start: number, end: number, limit: number): void {
  if (end < start || end > limit) throw new VariantMalformed('an offset that points outside');
}

function alignUp(offset: number, alignment: number): number {
  // Alignments are powers of two.
  const rest = offset & (alignment - 1);
  return rest === 0 ? offset : offset + alignment - rest;
}

function offsetWidth(size: number): 1 | 2 | 4 | 8 {
  if (size < 2 ** 8) return 1;
  if (size < 2 ** 16) return 2;
  return size < 2 ** 32 ? 4 : 8;
}

/** Reads bytes itself, because calling a method of `Buffer` takes longer than the work. */
function readOffset(data: Buffer, at: number, width: 1 | 2 | 4 | 8): number {
  if (at < 0) throw new VariantMalformed('an offset table that starts before the data');
  let offset = 0;
  for (let index = width - 1; index >= 0; index--) offset = offset * 256 + (data[at + index] ?? 0);
  return offset;
}
