import { expect, test } from 'bun:test';
import { parseTarHeader } from '../../../src/tar/tar-header.ts';
import { formatMemberHeader, formatPadding } from '../../../src/tar/tar-member.ts';

test.each([0, 1, 512, 0o77777777777, 0o77777777777 + 1, 2 ** 43 + 5])('a file of %d bytes', (size) => {
  expect(parseTarHeader(formatMemberHeader('12.tar', size), 0)).toMatchObject({
    type: '0',
    name: Buffer.from('12.tar'),
    size,
    mode: 0o600,
    uid: 0,
    gid: 0,
  });
});

test.each([
  [0, 0],
  [1, 511],
  [512, 0],
  [513, 511],
])('behind %d bytes stand %d', (size, padding) => {
  expect(formatPadding(size)).toEqual(Buffer.alloc(padding));
});
