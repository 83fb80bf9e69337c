/**
 * The serialised form of GVariant values, as far as OSTree's metadata objects need it
 * (GVariant specification, "Serialisation Format"). Container types are described once, by a small schema, and the
 * codec of a schema decodes and encodes; nothing here knows about OSTree.
 *
 * Decoding checks every offset against the data, because a repository may be damaged.
 */

import { isUtf8 } from 'node:buffer';

/** How to decode and encode one type. `fixedSize` is the size in bytes, or `undefined` for a type of varying size. */
export interface VariantCodec<T> {
  readonly alignment: number;
  readonly fixedSize: number | undefined;
  /** Decodes a part of `data`, by default all of it: cutting buffers for every member would take most of the time. */
  decode(data: Buffer, start?: number, end?: number): T;
  encode(value: T): Buffer;
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
    if (end === start || data.indexOf(0, start) !== last)
      throw new VariantMalformed('a string that does not end with its NUL');
    const text = data.toString('utf8', start, last);
    // What is not UTF-8 is replaced by this character, which may also be meant.
    if (text.includes('\ufffd') && !isUtf8(data.subarray(start, last))) {
      throw new VariantMalformed('a string that is not UTF-8');
    }
    return text;
  },
  encode: (value) => Buffer.from(`${value}\0`, 'utf8'),
};

/** Type `ay`. */
export const variantBytes: VariantCodec<Buffer> = {
  alignment: 1,
  fixedSize: undefined,
  decode: (data, start = 0, end = data.length) => data.subarray(start, end),
  encode: (value) => value,
};

/** Type `u` in big-endian order, as OSTree writes its numbers. */
export const variantBigEndianUint32: VariantCodec<number> = {
  alignment: 4,
  fixedSize: 4,
  decode(data, start = 0, end = data.length) {
    if (end - start !== 4) throw new VariantMalformed('a uint32 that is not 4 bytes');
    return data.readUInt32BE(start);
  },
  encode(value) {
    const data = Buffer.alloc(4);
    data.writeUInt32BE(value);
    return data;
  },
};

/** Type `t` in big-endian order. */
export const variantBigEndianUint64: VariantCodec<bigint> = {
  alignment: 8,
  fixedSize: 8,
  decode(data, start = 0, end = data.length) {
    if (end - start !== 8) throw new VariantMalformed('a uint64 that is not 8 bytes');
    return data.readBigUInt64BE(start);
  },
  encode(value) {
    const data = Buffer.alloc(8);
    data.writeBigUInt64BE(value);
    return data;
  },
};

/** Type `v`: a value with its type; kept as its type string and its serialised form. */
export interface VariantBox {
  readonly type: string;
  readonly data: Buffer;
}

export const variantBox: VariantCodec<VariantBox> = {
  alignment: 8,
  fixedSize: undefined,
  decode(data, start = 0, end = data.length) {
    const separator = end === 0 ? -1 : data.lastIndexOf(0, end - 1);
    if (separator < start) throw new VariantMalformed('a boxed value without a type');
    return { type: data.toString('latin1', separator + 1, end), data: data.subarray(start, separator) };
  },
  encode: ({ type, data }) => Buffer.concat([data, Buffer.from(`\0${type}`, 'latin1')]),
};

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
        throw new VariantMalformed('an array whose offset table lies');
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
    encode(values) {
      const body = new BodyWriter();
      const ends: number[] = [];
      for (const value of values) {
        body.append(element.encode(value), element.alignment);
        ends.push(body.length);
      }
      return body.finish(ends);
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
      for (const [index, member] of codecs.entries()) {
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
    encode(values) {
      const body = new BodyWriter();
      const ends: number[] = [];
      codecs.forEach((member, index) => {
        body.append(member.encode(values[index]), member.alignment);
        if (member.fixedSize === undefined && index < codecs.length - 1) ends.unshift(body.length);
      });
      if (fixedSize !== undefined) body.pad(alignment);
      return body.finish(ends);
    },
  };
}

/** Collects aligned members and appends the offsets in the smallest width that can address the whole. */
class BodyWriter {
  readonly #parts: Buffer[] = [];
  length = 0;

  append(data: Buffer, alignment: number): void {
    this.pad(alignment);
    this.#parts.push(data);
    this.length += data.length;
  }

  pad(alignment: number): void {
    const padding = alignUp(this.length, alignment) - this.length;
    if (padding === 0) return;
    this.#parts.push(Buffer.alloc(padding));
    this.length += padding;
  }

  finish(ends: readonly number[]): Buffer {
    if (ends.length === 0) return Buffer.concat(this.#parts);
    const width = [1, 2, 4].find((size) => this.length + ends.length * size < 2 ** (8 * size)) ?? 8;
    const table = Buffer.alloc(ends.length * width);
    ends.forEach((end, index) => {
      if (width === 8) table.writeBigUInt64LE(BigInt(end), index * 8);
      else table.writeUIntLE(end, index * width, width);
    });
    return Buffer.concat([...this.#parts, table]);
  }
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

function readOffset(data: Buffer, at: number, width: 1 | 2 | 4 | 8): number {
  if (at < 0) throw new VariantMalformed('an offset table that starts before the data');
  return width === 8 ? Number(data.readBigUInt64LE(at)) : data.readUIntLE(at, width);
}
