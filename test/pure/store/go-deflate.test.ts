import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { GoDeflate } from '../../../src/store/export/recompress/go-deflate.ts';
import { inputs } from './go-deflate-inputs.ts';

/** What `compress/flate` of Go 1.19 made of them at its default level: bytes and SHA-256. */
const golden: [name: string, bytes: number, sha256: string][] = [
  ['nothing', 5, 'f067985d352d2da6dfaef4844a66d06c5371ecbd9530a4d195ac599fef8b3427'],
  ['one byte', 7, 'e45ce219caee059e42126964e339db98bbd7d2bbdea1b03859dd48ac96bf269d'],
  ['three bytes', 9, '1ad2eab9e6b8c767c179ee4e52cb4fda11fd806a130663db6814dbf8fd996ccc'],
  ['a short match', 12, '053cded42175822a6ec60c1669f27b5252941fe492ee94f06ef309a0099cb4de'],
  ['zeros', 3069, '0176cd65ea750caafcf7abd06155e5afc6a70253a83334edfd9ac96f221e7e66'],
  [
    'noise, which is stored as it is',
    200070,
    'f7f771a516b4c9212c91635d2e1c687e8354e86d121d735c88a3e116515c3b8e',
  ],
  [
    'few values, without a match worth taking',
    44111,
    '576ddf677d1d077dab72dc248f1f2eeeec959f5db42ff4f913cccac76bc0d5f0',
  ],
  ['text', 957774, 'fec0746dd73c8e54144fdee72792d1d84bc9314111b28a5612323842a102da3a'],
  ['text and noise by turns', 629593, '2211b57ae4364e24d1fe724d63efc08e9ae1217df474cf3957a9672f25cade1c'],
  ['an archive', 19580, 'a42c3e1f0b544f67b17bea9b9c3721215e59b05e773d564116fda5b51a7897da'],
];

test.each(golden)('%s: the bytes are those of Go', (name, bytes, sha256) => {
  const data = inputs[name]?.() ?? Buffer.alloc(0);
  const compressed = deflate(data, 262_144);
  expect([compressed.length, createHash('sha256').update(compressed).digest('hex')]).toEqual([bytes, sha256]);
  // A small one is enough to see that the result does not depend on the pieces.
  if (bytes < 100_000) expect(deflate(data, 4096).equals(compressed)).toBe(true);
});

test('any data inflates to the same data', () => {
  const data = fc
    .array(fc.record({ bytes: fc.uint8Array({ maxLength: 40 }), times: fc.nat(400) }), { maxLength: 30 })
    .map((parts) => Buffer.concat(parts.flatMap(({ bytes, times }) => Array(times).fill(bytes))));
  fc.assert(
    fc.property(data, fc.integer({ min: 1, max: 70_000 }), (input, chunk) => {
      expect(inflateRawSync(deflate(input, chunk)).equals(input)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

function deflate(data: Buffer, chunkBytes: number): Buffer {
  const go = new GoDeflate();
  const parts: Buffer[] = [];
  for (let at = 0; at < data.length; at += chunkBytes)
    parts.push(...go.push(data.subarray(at, at + chunkBytes)));
  return Buffer.concat([...parts, ...go.finish()]);
}
