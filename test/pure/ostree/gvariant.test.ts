import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  encodeVariant,
  type VariantCodec,
  VariantMalformed,
  variantArray,
  variantBigEndianUint32,
  variantBigEndianUint64,
  variantBoxedString,
  variantBytes,
  variantString,
  variantTuple,
} from '../../../src/ostree/gvariant.ts';

const SEED = 20261123;

/** Every shape that the objects of OSTree are made of. */
const nested = variantTuple(
  variantArray(variantTuple(variantString, variantBoxedString)),
  variantBigEndianUint32,
  variantBytes,
  variantArray(variantTuple(variantString, variantBytes, variantBytes)),
  variantBigEndianUint64,
  variantString,
);
type Nested = ReturnType<typeof nested.decode>;

/** Examples of the GVariant specification and of `g_variant_print`, as bytes. */
test.each<[string, VariantCodec<unknown>, unknown, number[]]>([
  ['an empty string', as(variantString), '', [0]],
  ['a string', as(variantString), 'hé', [0x68, 0xc3, 0xa9, 0]],
  ['a uint32', as(variantBigEndianUint32), 0x01020304, [1, 2, 3, 4]],
  ['a uint64', as(variantBigEndianUint64), 0x0102030405060708n, [1, 2, 3, 4, 5, 6, 7, 8]],
  ['an empty array', as(variantArray(variantString)), [], []],
  [
    'an array of strings',
    as(variantArray(variantString)),
    ['i', 'can', 'has'],
    [0x69, 0, 0x63, 0x61, 0x6e, 0, 0x68, 0x61, 0x73, 0, 2, 6, 10],
  ],
  [
    'a tuple without frame',
    as(variantTuple(variantBigEndianUint32, variantString)),
    [7, 'a'],
    [0, 0, 0, 7, 0x61, 0],
  ],
  [
    'a tuple with one offset',
    as(variantTuple(variantString, variantBigEndianUint32)),
    ['a', 7],
    [0x61, 0, 0, 0, 0, 0, 0, 7, 2],
  ],
  [
    'a tuple with two offsets, last first',
    as(variantTuple(variantString, variantString, variantString)),
    ['a', 'b', 'c'],
    [0x61, 0, 0x62, 0, 0x63, 0, 4, 2],
  ],
  [
    'a tuple of fixed size',
    as(variantTuple(variantBigEndianUint64, variantBigEndianUint32)),
    [1n, 2],
    [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0],
  ],
  ['a boxed string', as(variantBoxedString), 'a', [0x61, 0, 0, 0x73]],
])('encodes and decodes %s', (_, codec, value, bytes) => {
  expect([...encodeVariant(codec, value)]).toEqual(bytes);
  expect(codec.decode(Buffer.from(bytes))).toEqual(value);
});

test.each([
  [254, 1],
  [255, 2],
  [65_533, 2],
  [65_534, 4],
])('offsets are as narrow as the whole allows: %d bytes before them take %d', (length, width) => {
  const codec = variantTuple(variantString, variantBytes);
  const data = encodeVariant(codec, ['x'.repeat(length - 1), Buffer.alloc(0)]);
  expect(data.length).toBe(length + width);
  expect(codec.decode(data)).toEqual(['x'.repeat(length - 1), Buffer.alloc(0)]);
});

test('decodes what it encoded', () => {
  fc.assert(
    fc.property(anyNested(), (value) => {
      const data = encodeVariant(nested, value);
      expect(nested.decode(data)).toEqual(value);
      expect(encodeVariant(nested, nested.decode(data))).toEqual(data);
    }),
    { numRuns: 300, seed: SEED },
  );
});

test.each<[string, VariantCodec<unknown>, number[], string]>([
  ['a string without NUL', as(variantString), [0x61], 'a string that does not end with its NUL'],
  ['an empty string without NUL', as(variantString), [], 'a string that does not end with its NUL'],
  [
    'a string with a NUL inside',
    as(variantString),
    [0x61, 0, 0x61, 0],
    'a string that does not end with its NUL',
  ],
  ['a string in latin-1', as(variantString), [0xe9, 0], 'a string that is not UTF-8'],
  ['a short uint32', as(variantBigEndianUint32), [1, 2, 3], 'a uint32 that is not 4 bytes'],
  ['a short uint64', as(variantBigEndianUint64), [1], 'a uint64 that is not 8 bytes'],
  [
    'a boxed string without NUL',
    as(variantBoxedString),
    [0x61, 0, 0x73],
    'a string that does not end with its NUL',
  ],
  ['a box without type', as(variantBoxedString), [1, 2], 'a boxed value without a type'],
  [
    'an array without room for its table',
    as(variantArray(variantString)),
    [0x61, 0, 3],
    'an array with a wrong offset table',
  ],
  [
    'an array whose table begins behind it',
    as(variantArray(variantString)),
    [0x61, 0, 9],
    'an array with a wrong offset table',
  ],
  [
    'an array whose table is no multiple',
    as(variantArray(variantString)),
    [...Array(300).fill(0x61), 0, 0x2c, 1],
    'an array with a wrong offset table',
  ],
  [
    'an element that ends before it begins',
    as(variantArray(variantString)),
    [0x61, 0, 2, 1, 2],
    'an offset that points outside',
  ],
  [
    'a tuple shorter than its offsets',
    as(variantTuple(variantString, variantString, variantString)),
    [1],
    'a tuple shorter than its offsets',
  ],
  [
    'a member that ends in the offsets',
    as(variantTuple(variantString, variantString)),
    [0x61, 0, 9],
    'an offset that points outside',
  ],
  [
    'a tuple without its last member',
    as(variantTuple(variantString, variantBigEndianUint32)),
    [0x61, 0, 2],
    'an offset that points outside',
  ],
])('refuses %s', (_, codec, bytes, reason) => {
  expect(() => codec.decode(Buffer.from(bytes))).toThrow(new VariantMalformed(reason));
});

test('cut or changed bytes decode or are malformed, nothing else', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 5 });
  fc.assert(
    fc.property(anyNested(), changes, fc.nat(), (value, bytes, cut) => {
      const data = encodeVariant(nested, value);
      for (const [at, byte] of bytes) data[at % data.length] = byte;
      decodeOrRefuse(data.subarray(0, data.length - (cut % 4 === 0 ? cut % data.length : 0)));
    }),
    { numRuns: 500, seed: SEED },
  );
});

test('any bytes decode or are malformed, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => decodeOrRefuse(Buffer.from(bytes))),
    { numRuns: 500, seed: SEED },
  );
});

test.each([
  ['a number', [1, 2, 3, 4, 0, 0x75]],
  ['a dictionary', [0, ...Buffer.from('a{sv}')]],
  ['bytes whose type begins like that of a string', [0x61, 0, 0, ...Buffer.from('sv')]],
])('a boxed value that is not a string: %s', (_, bytes) => {
  const value = variantBoxedString.decode(Buffer.from(bytes));
  expect(value).toBeUndefined();
  expect(() => encodeVariant(variantBoxedString, value)).toThrow(
    new Error('a boxed value that is not a string'),
  );
});

test('arrays of fixed-size elements are a mistake of the programmer', () => {
  expect(() => variantArray(variantBigEndianUint32)).toThrow(
    new Error('arrays of fixed-size elements are not used by OSTree'),
  );
});

function decodeOrRefuse(data: Buffer): void {
  try {
    nested.decode(data);
  } catch (error) {
    if (!(error instanceof VariantMalformed)) throw error;
  }
}

function anyNested(): fc.Arbitrary<Nested> {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom('x'.repeat(253), 'y'.repeat(70_000)),
  );
  const name = text.map((value) => value.replaceAll('\0', '').toWellFormed());
  const bytes = fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value));
  return fc.tuple(
    fc.array(fc.tuple(name, name), { maxLength: 4 }),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    bytes,
    fc.array(fc.tuple(name, bytes, bytes), { maxLength: 6 }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    name,
  );
}

function as<T>(codec: VariantCodec<T>): VariantCodec<unknown> {
  return codec as VariantCodec<unknown>;
}
