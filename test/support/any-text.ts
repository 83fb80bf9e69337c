import fc from 'fast-check';

/**
 * Text of any characters. `fc.string({ unit: 'binary' })` is the same, but it first lists all code points, which takes half a
 * second in each file of tests.
 */
export const anyText: fc.Arbitrary<string> = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCodePoint(code)),
    fc
      .integer({ min: 0, max: 0x10ffff })
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code)),
  ),
});
