import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { compareUtf8 } from '../../../src/base/compare-utf8.ts';
import { anyText } from '../../support/any-text.ts';

test.each([
  ['', '', 0],
  ['', 'a', -1],
  ['a', 'b', -1],
  ['a', 'ab', -1],
  ['B', 'a', -1],
  ['z', 'é', -1],
  ['\u{1f600}', '\uffff', 1],
  ['\ud7ff', '\u{10000}', -1],
  ['\ue000', '\u{10000}', -1],
  ['\u{10000}', '\u{10001}', -1],
  ['\u{1f600}a', '\u{1f600}b', -1],
])('%j and %j', (a, b, sign) => {
  expect(Math.sign(compareUtf8(a, b))).toBe(sign);
  expect(Math.sign(compareUtf8(b, a))).toBe(-sign + 0);
});

test('orders as the bytes', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
  });
  const any = fc.oneof(text, anyText);
  fc.assert(
    fc.property(any, any, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 2000, seed: 20261123 },
  );
});
