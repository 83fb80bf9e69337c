import { expect, test } from 'bun:test';
import { MalformedXattr, parsePaxXattrs } from '../../../src/tar/tar-xattrs.ts';

const parse = (records: Record<string, string | Buffer>) =>
  parsePaxXattrs(new Map(Object.entries(records).map(([key, value]) => [key, Buffer.from(value)])));
const xattr = (name: string, value: string | Buffer) => [Buffer.from(`${name}\0`), Buffer.from(value)];

test.each<[string, Record<string, string | Buffer>, unknown[]]>([
  ['no attributes', { path: 'a', 'SCHILY.acl.access': 'x' }, []],
  [
    'sorted by name, whatever the order',
    { 'SCHILY.xattr.user.b': '2', path: 'x', 'SCHILY.xattr.user.a': '1', 'SCHILY.xattr.user.a.b': '\0\n' },
    [xattr('user.a', '1'), xattr('user.a.b', '\0\n'), xattr('user.b', '2')],
  ],
  [
    "libarchive's spelling: the name as in a URL, the value in base64",
    { 'LIBARCHIVE.xattr.user.a%3Db': 'AQID', 'LIBARCHIVE.xattr.user.c': 'AQ' },
    [xattr('user.a=b', Buffer.of(1, 2, 3)), xattr('user.c', Buffer.of(1))],
  ],
  [
    'also what the kernel refuses',
    { [`SCHILY.xattr.${'n'.repeat(256)}`]: '', 'SCHILY.xattr.user.a': Buffer.alloc(65_537) },
    [xattr('n'.repeat(256), ''), xattr('user.a', Buffer.alloc(65_537))],
  ],
  [
    'the plain spelling counts',
    { 'SCHILY.xattr.user.a': 'plain', 'LIBARCHIVE.xattr.user.a': 'AQID' },
    [xattr('user.a', 'plain')],
  ],
])('%s', (_, records, expected) => {
  expect(parse(records)).toEqual(expected as never);
});

test.each<[string, Record<string, string | Buffer>]>([
  ['without name', { 'SCHILY.xattr.': 'x' }],
  ['a NUL in the name', { 'LIBARCHIVE.xattr.user.%00': 'AQID' }],
  ['no base64', { 'LIBARCHIVE.xattr.user.a': '***' }],
  ['a broken escape', { 'LIBARCHIVE.xattr.user.%zz': 'AQID' }],
])('refused: %s', (_, records) => {
  expect(() => parse(records)).toThrow(MalformedXattr);
});
