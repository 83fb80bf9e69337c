import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Crc64 } from '../../../src/tar/crc64.ts';

/** The definition, bit by bit. */
function sumOf(data: Uint8Array): string {
  let crc = 0xffff_ffff_ffff_ffffn;
  for (const byte of data) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ ((crc & 1n) === 1n ? 0xd800_0000_0000_0000n : 0n);
  }
  return (crc ^ 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0');
}

test('the check value of CRC-64/GO-ISO', () => {
  const crc = new Crc64();
  crc.update(Buffer.from('123456789'));
  expect(crc.digest().toString('hex')).toBe('b90956c775a41001');
});

test('any data in any pieces gives what the definition gives', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (pieces) => {
      const crc = new Crc64();
      for (const piece of pieces) crc.update(Buffer.from(piece));
      expect(crc.digest().toString('hex')).toBe(sumOf(Buffer.concat(pieces)));
    }),
    { numRuns: 500 },
  );
});
