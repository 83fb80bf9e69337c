import { expect, test } from 'bun:test';
import type { TarSummary } from '../../../src/tar/tar-entries.ts';
import { type TarListener, TarReader } from '../../../src/tar/tar-reader.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
import { catchError } from '../../support/thrown-error.ts';

const LONG = 'n'.repeat(101);
const SEVEN = 'ustar\x0000';

test.each<[string, TarEntry[], string]>([
  ['".." in front', [{ path: '../etc/passwd' }], 'the name "../etc/passwd" with ".."'],
  ['".." inside', [{ path: 'a/../../b' }], 'the name "a/../../b" with ".."'],
  ['".." as a whole', [{ path: '..', type: 'directory' }], 'the name ".." with ".."'],
  ['".." after a slash', [{ path: '/../b' }], 'the name "/../b" with ".."'],
  ['".." in a PAX name', [{ path: 'a', pax: { path: '../b' } }], 'the name "../b" with ".."'],
  ['".." in a GNU name', [{ path: `../${LONG}`, longNames: 'gnu' }], `the name "../${LONG}" with ".."`],
  ['a control character is escaped', [{ path: '../\x1b[2J' }], 'the name "../\\u001b[2J" with ".."'],
  ['a component of 256 bytes', [{ path: `a/${'é'.repeat(128)}` }], 'a name of 256 bytes'],
  ['a path of 4097 bytes', [{ path: 'ab/'.repeat(1365).padEnd(4097, 'x') }], 'a name of 4097 bytes'],
  [
    'a name in latin-1',
    [{ path: 'a', raw: { name: Buffer.from('caf\xe9', 'latin1') } }],
    'a name that is not UTF-8',
  ],
  [
    'a lone surrogate',
    [{ path: 'a', raw: { name: Buffer.of(0xed, 0xa0, 0x80) } }],
    'a name that is not UTF-8',
  ],
  ['an overlong slash', [{ path: 'a', raw: { name: Buffer.of(0xc0, 0xaf) } }], 'a name that is not UTF-8'],
  ['a NUL in a PAX name', [{ path: 'a', pax: { path: 'a\0b' } }], 'a name with a NUL byte'],
  ['a file as the root', [{ path: './', raw: { name: '.' } }], 'a file in the place of the root'],
  ['a file without name', [{ path: '' }], 'a file in the place of the root'],
  [
    'a symlink as the root',
    [{ path: '/', type: 'symlink', linkName: 'a' }],
    'a symlink in the place of the root',
  ],
  ['a device as the root', [{ path: './', type: 'char' }], 'a device node or FIFO in the place of the root'],
  [
    'a hard link as the root',
    [{ path: '.', type: 'hardlink', linkName: 'a' }],
    'a hard link in the place of the root',
  ],
  [
    'a file where a directory is',
    [{ path: 'a', type: 'directory' }, { path: 'a' }],
    'a file in the place of a directory',
  ],
  [
    'a file where a directory is implied',
    [{ path: 'a/b' }, { path: 'a' }],
    'a file in the place of a directory',
  ],
  ['a hard link to the root', [{ path: 'a', type: 'hardlink', linkName: '/' }], 'a hard link to the root'],
  ['a hard link to nothing', [{ path: 'a', type: 'hardlink' }], 'a hard link to the root'],
  [
    'a hard link to ".."',
    [{ path: 'a', type: 'hardlink', linkName: '../b' }],
    'the link target "../b" with ".."',
  ],
  [
    'a hard link with content',
    [{ path: 'a', type: 'hardlink', linkName: 'b', content: 'x' }],
    'a hard link with content',
  ],
  ['a symlink to nothing', [{ path: 'a', type: 'symlink' }], 'a symlink without target'],
  [
    'a symlink of 4096 bytes',
    [{ path: 'a', type: 'symlink', linkName: 't'.repeat(4096) }],
    'a symlink target of 4096 bytes',
  ],
  [
    'a symlink target in latin-1',
    [{ path: 'a', type: 'symlink', raw: { linkName: Buffer.from('caf\xe9', 'latin1') } }],
    'a symlink target that is not UTF-8',
  ],
  [
    'a NUL in a PAX link',
    [{ path: 'a', type: 'symlink', pax: { linkpath: 'a\0b' } }],
    'a link target with a NUL byte',
  ],
  ['a GNU and a PAX name', [{ path: LONG, longNames: 'gnu', pax: { path: 'b' } }], 'two names for one entry'],
  [
    'a GNU and a PAX link',
    [{ path: 'a', type: 'symlink', linkName: LONG, longNames: 'gnu', pax: { linkpath: 'b' } }],
    'two link targets for one entry',
  ],
  ['a negative PAX size', [{ path: 'a', pax: { size: '-512' } }], 'a size that is no number'],
  ['a hexadecimal PAX size', [{ path: 'a', pax: { size: '0x10' } }], 'a size that is no number'],
  ['a PAX size with an exponent', [{ path: 'a', pax: { size: '1e3' } }], 'a size that is no number'],
  ['a hexadecimal owner', [{ path: 'a', pax: { uid: '0x10' } }], 'the owner "0x10"'],
  ['an owner with an exponent', [{ path: 'a', pax: { gid: '1e3' } }], 'the owner "1e3"'],
  ['an empty PAX size', [{ path: 'a', pax: { size: '' } }], 'a size that is no number'],
  ['a PAX size above 2^53', [{ path: 'a', pax: { size: '9007199254740993' } }], 'a size that is no number'],
  [
    'a PAX size of a directory',
    [{ path: 'a', type: 'directory', pax: { size: '512' } }],
    'a directory with content',
  ],
  [
    'a PAX size of a symlink',
    [{ path: 'a', type: 'symlink', linkName: 'b', pax: { size: '1' } }],
    'a symlink with content',
  ],
  [
    'a PAX size of a device',
    [{ path: 'a', type: 'block', pax: { size: '1' } }],
    'a device node or FIFO with content',
  ],
  [
    'a PAX size of a hard link',
    [{ path: 'a', type: 'hardlink', linkName: 'b', pax: { size: '1' } }],
    'a hard link with content',
  ],
  ['a file with a final slash', [{ path: 'a/' }], 'a file whose name ends with a slash'],
  [
    'a PAX name with a final slash',
    [{ path: 'a', pax: { path: 'a/' } }],
    'a file whose name ends with a slash',
  ],
  [
    'an old file with a final slash and content',
    [{ path: 'a/', content: 'x', raw: { typeFlag: '\0', magic: '' } }],
    'a directory with content',
  ],
  ['a path of 1001 folders', [{ path: `${'d/'.repeat(1001)}f` }], 'a path of more than 1000 folders'],
  [
    'more folders behind a symlink',
    [{ path: 'a', type: 'symlink', linkName: 'd/'.repeat(600) }, { path: `a/${'d/'.repeat(401)}f` }],
    'a path of more than 1000 folders',
  ],
  [
    'a longer path behind a symlink',
    [
      { path: 'a', type: 'symlink', linkName: `${'n'.repeat(255)}/`.repeat(15) },
      { path: `a/${'n'.repeat(255)}/f` },
    ],
    'a path of 4097 bytes after its symlinks are resolved',
  ],
  [
    'an entry below a circle of symlinks',
    [
      { path: 'a', type: 'symlink', linkName: 'b' },
      { path: 'b', type: 'symlink', linkName: './a' },
      { path: 'a/f' },
    ],
    'more than 40 symlinks in a path',
  ],
  [
    'an entry below a device',
    [{ path: 'a', type: 'char' }, { path: 'a/f' }],
    'an entry below a device node or FIFO',
  ],
  [
    'a hard link to a directory',
    [
      { path: 'a', type: 'directory' },
      { path: 'b', type: 'hardlink', linkName: 'a' },
    ],
    'a hard link to a directory',
  ],
  [
    'a file where a symlink leads to a directory',
    [{ path: 'd/e/f' }, { path: 'a', type: 'symlink', linkName: 'd' }, { path: 'a/e' }],
    'a file in the place of a directory',
  ],
  [
    'a sparse file of old GNU tar',
    [{ path: 'a', raw: { typeFlag: 'S' } }],
    'a sparse file of the old GNU kind',
  ],
  [
    'a sparse file of star',
    [{ path: 'a', pax: { 'SCHILY.realsize': '9' } }],
    'a sparse file that is not in the format of GNU tar',
  ],
  [
    'a sparse file of Solaris',
    [{ path: 'a', pax: { 'SUN.holesdata': ' 0' } }],
    'a sparse file that is not in the format of GNU tar',
  ],
  ...['A', 'D', 'M', 'N', 'V', 'X', '8', 'a'].map((typeFlag): [string, TarEntry[], string] => [
    `the type ${typeFlag}`,
    [{ path: 'a', raw: { typeFlag } }],
    `an entry of the unknown type "${typeFlag}"`,
  ]),
])('refuses %s', (_, entries, problem) => {
  const last = buildTar(entries, { ending: 'no-trailer' }).length - 512;
  const { code, message } = catchError(() => scan(buildTar(entries)));
  expect(code).toBe('LAYER_REJECTED');
  expect(message).toStartWith(`reading the layer's archive: ${problem} at byte `);
  const [, offset] = / at byte (\d+), entry /.exec(message) ?? [];
  expect(Number(offset)).toBeLessThanOrEqual(last);
});

test.each<[string, TarEntry, string]>([
  ['in Latin-1', { path: 'a', raw: { name: Buffer.from('caf\xe9/men\xfc', 'latin1') } }, 'caf\\xe9/men\\xfc'],
  ['cut in a character', { path: 'a', pax: { path: Buffer.from('caf\u00e9').subarray(0, -1) } }, 'caf\\xc3'],
  [
    'with control characters',
    { path: 'a', raw: { name: Buffer.from('\x1b[31m\n\\\xff', 'latin1') } },
    '\\x1b[31m\\x0a\\x5c\\xff',
  ],
  [
    'too long for a line',
    { path: 'a', pax: { path: Buffer.alloc(4000, 0xff) } },
    `${'\\xff'.repeat(49)}\\...`,
  ],
  ['of a hard link', { path: '\u00fc', type: 'hardlink', raw: { linkName: Buffer.of(0xff) } }, '\u00fc'],
])('names the entry whose name is not UTF-8: %s', (_, entry, name) => {
  const { message } = catchError(() => scan(buildTar([entry])));
  expect(message).toEndWith(`, entry ${name}`);
});

test.each<[string, TarEntry[], Partial<TarSummary>]>([
  ['an empty archive', [], {}],
  ['the root', [{ path: './', type: 'directory' }], {}],
  ['the root as "/"', [{ path: '/', type: 'directory' }], {}],
  ['the root without name', [{ path: '', type: 'directory' }], {}],
  ['a file', [{ path: 'a' }], { impliedDirectories: [''] }],
  ['absolute names and blanks between', [{ path: '//a/.//./b' }], { impliedDirectories: ['a', ''] }],
  [
    'a directory that is named before',
    [{ path: 'a/', type: 'directory' }, { path: 'a/b' }],
    { impliedDirectories: [''] },
  ],
  [
    'a directory that is named after',
    [{ path: 'a/b' }, { path: './a', type: 'directory' }],
    { impliedDirectories: [''] },
  ],
  [
    'a directory of an old archive',
    [{ path: 'a/', raw: { magic: '', typeFlag: '\0' } }, { path: 'a/b' }],
    { impliedDirectories: [''] },
  ],
  [
    'implied directories in between',
    [{ path: '.', type: 'directory' }, { path: 'a', type: 'directory' }, { path: 'a/b/c/d' }],
    { impliedDirectories: ['a/b/c', 'a/b'] },
  ],
  [
    'devices and FIFOs',
    [{ path: 'c', type: 'char' }, { path: 'd', type: 'block' }, { path: 'p', type: 'fifo' }, { path: 'f' }],
    { unsupportedEntries: 3, impliedDirectories: [''], mayHaveWhiteouts: true },
  ],
  [
    'a contiguous file',
    [{ path: 'a', content: 'abc', raw: { typeFlag: '7' } }],
    { impliedDirectories: [''] },
  ],
  [
    'a directory that claims a size',
    [{ path: 'a', type: 'directory', raw: { size: '00000010000' } }],
    { impliedDirectories: [''] },
  ],
  [
    'a path of 4096 bytes',
    [{ path: `/${'a'.repeat(255)}`.repeat(16) }],
    { impliedDirectories: expect.anything() },
  ],
  ['an empty PAX name', [{ path: 'a', pax: { path: '' } }], { impliedDirectories: [''] }],
  [
    'a PAX size beside a lying header',
    [{ path: 'a', content: 'abc', pax: { size: '3' }, raw: { size: '77777' } }],
    { impliedDirectories: [''] },
  ],
  ['a byte order mark', [{ path: '\ufeffa/b' }], { impliedDirectories: ['\ufeffa', ''] }],
  [
    'a symlink that leads out',
    [{ path: 'a', type: 'symlink', linkName: '../../etc' }],
    { impliedDirectories: [''] },
  ],
  [
    'a symlink of 4095 bytes',
    [{ path: 'a', type: 'symlink', linkName: 't'.repeat(4095) }],
    { impliedDirectories: [''] },
  ],
  [
    'an xattr with NUL bytes',
    [{ path: 'a', xattrs: { 'security.capability': Buffer.of(1, 0, 0, 2) } }],
    { impliedDirectories: [''] },
  ],
  ['a link target where none belongs', [{ path: 'a', pax: { linkpath: 'b' } }], { impliedDirectories: [''] }],
  ['a whiteout', [{ path: 'a/.wh.b' }], { impliedDirectories: ['a', ''], mayHaveWhiteouts: true }],
  ['another magic', [{ path: 'a', raw: { magic: SEVEN } }], { impliedDirectories: [''] }],
])('accepts %s', (_, entries, expected) => {
  expect(scan(buildTar(entries))).toEqual({
    unsupportedEntries: 0,
    impliedDirectories: [],
    mayHaveWhiteouts: false,
    ...expected,
  });
});

test('bounds the memory that names take: many deep paths', () => {
  const reader = new TarReader(deaf);
  const path = (index: number): string => `${index}/${'ddd/'.repeat(990)}f`;
  const error = catchError(() => {
    for (let index = 0; index < 1000; index++) {
      reader.push(buildTar([{ path: path(index) }], { ending: 'no-trailer' }));
    }
  });
  expect(error.message).toStartWith(
    "reading the layer's archive: more than 268435456 bytes of names at byte ",
  );
});

const deaf: TarListener = { frame: () => undefined, entry: () => undefined, content: () => undefined };

function scan(archive: Buffer): TarSummary {
  const reader = new TarReader(deaf);
  reader.push(archive);
  return reader.finish();
}
