import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { parsePaxRecords } from '../../../src/tar/pax-records.ts';
import { buildTar } from '../../support/tar-writer.ts';
import { catchError } from '../../support/thrown-error.ts';

test.each<[string, string, [string, string][]]>([
  ['nothing', '', []],
  ['one record', '11 path=ab\n', [['path', 'ab']]],
  ['an empty value', '8 path=\n', [['path', '']]],
  [
    'two records',
    '11 path=ab\n9 size=3\n',
    [
      ['path', 'ab'],
      ['size', '3'],
    ],
  ],
  ['a key twice: the last value counts', '8 a=one\n8 a=two\n', [['a', 'two']]],
  ['a value with "=", line feeds and NUL', '12 k=a=b\n\0c\n', [['k', 'a=b\n\0c']]],
  ['a length with leading zeros', '0012 path=b\n', [['path', 'b']]],
])('reads %s', (_, text, records) => {
  expect([...parsePaxRecords(Buffer.from(text), 0)]).toEqual(
    records.map(([key, value]) => [key, Buffer.from(value)]),
  );
});

test.each([
  ['a length that is too long', '99 path=ab\n'],
  ['a length that is too short', '10 path=ab\n'],
  ['a length of zero', '0 path=ab\n'],
  ['a negative length', '-11 path=ab\n'],
  ['a length that ends before its "="', '3 \nab=c\n'],
  ['a length in hexadecimal', '0xb path=ab\n'],
  ['no length', 'path=ab\n'],
  ['no "="', '8 pathb\n'],
  ['no line feed', '11 path=abc'],
  ['no blank', '11'],
  ['a record that is cut short', '11 path=ab\n11 pat'],
  ['NUL bytes after the records', '11 path=ab\n\0\0'],
  ['a length of many digits', `${'9'.repeat(400)} path=ab\n`],
])('refuses %s', (_, text) => {
  expect(catchError(() => parsePaxRecords(Buffer.from(text), 512))).toMatchObject({
    code: 'LAYER_REJECTED',
    message: "reading the layer's archive: a malformed PAX header at byte 512",
  });
});

test('reads records of any length', () => {
  const key = fc.stringMatching(/^[A-Za-z][A-Za-z.]{0,20}$/).filter((name) => name !== 'SCHILY');
  const value = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(fc.dictionary(key, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true }), (pax) => {
      const archive = buildTar([{ path: 'a', pax, mtime: 0 }]);
      const size = Number.parseInt(archive.toString('latin1', 124, 135), 8);
      const read = parsePaxRecords(archive.subarray(512, 512 + size), 0);
      expect(Object.fromEntries([...read].map(([name, data]) => [name, new Uint8Array(data)]))).toEqual(pax);
    }),
    { numRuns: 300, seed: 20261123 },
  );
});
