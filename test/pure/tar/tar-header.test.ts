import { expect, test } from 'bun:test';
import { parseTarHeader, type TarHeader } from '../../../src/tar/tar-header.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
import { catchError } from '../../support/thrown-error.ts';

const prefix = 'p'.repeat(60);
const suffix = 's'.repeat(60);

test.each<[string, TarEntry, Partial<TarHeader>]>([
  ['a file', { path: 'a', content: 'abc' }, { type: '0', size: 3 }],
  ['an owner', { path: 'a', uid: 1000, gid: 0xfffffffe, numbers: 'base256' }, { uid: 1000, gid: 0xfffffffe }],
  ['a setuid file', { path: 'a', mode: 0o4755 }, { mode: 0o4755 }],
  ['a mode with the type of the file', { path: 'a', mode: 0o104755 }, { mode: 0o4755 }],
  ['a file of an old archive', { path: 'a', raw: { typeFlag: '\0' } }, { type: '\0' }],
  ['a name of 100 bytes without NUL', { path: 'n'.repeat(100) }, { name: Buffer.from('n'.repeat(100)) }],
  ['a link', { path: 'a', type: 'symlink', linkName: 'b/c' }, { type: '2', linkName: Buffer.from('b/c') }],
  ['a base-256 size', { path: 'a', content: 'x'.repeat(600), numbers: 'base256' }, { size: 600 }],
  ['a size with leading blanks', { path: 'a', raw: { size: '      12 \0' } }, { size: 10 }],
  ['a size without its NUL', { path: 'a', raw: { size: '000000000012' } }, { size: 10 }],
  ['a size followed by rubbish', { path: 'a', raw: { size: '12\0zzzz' } }, { size: 10 }],
  ['an empty size', { path: 'a', raw: { size: '' } }, { size: 0 }],
  ['8 GiB less one', { path: 'a', raw: { size: '77777777777\0' } }, { size: 2 ** 33 - 1 }],
  ['the largest octal size', { path: 'a', raw: { size: '777777777777' } }, { size: 2 ** 36 - 1 }],
])('reads %s', (_, entry, expected) => {
  const header = parseTarHeader(headerOf(entry), 0);
  expect(header).toEqual({
    type: '0',
    name: Buffer.from(entry.path),
    linkName: Buffer.alloc(0),
    size: 0,
    mode: 0o644,
    uid: 0,
    gid: 0,
    isOldSparse: false,
    ...expected,
  });
});

test.each([
  ['POSIX', 'ustar\x0000', `${prefix}/${suffix}`],
  ['something like POSIX', 'ustar\x01\x02\x03', `${prefix}/${suffix}`],
  ['GNU with another version', 'ustar  0', `${prefix}/${suffix}`],
  ['GNU', 'ustar  \0', suffix],
  ['none', '\0\0\0\0\0\0\0\0', suffix],
])('the prefix belongs to the name when the magic is of %s', (_, magic, name) => {
  const block = headerOf({ path: suffix });
  block.write(magic, 257, 'latin1');
  block.write(prefix, 345, 'latin1');
  expect(parseTarHeader(withSum(block), 0)?.name.toString()).toBe(name);
});

test('a prefix that ends with a slash gets no other', () => {
  const block = headerOf({ path: 'b' });
  block.write('a/', 345, 'latin1');
  expect(parseTarHeader(withSum(block), 0)?.name.toString()).toBe('a/b');
});

test('a prefix and a name may both be full', () => {
  const block = headerOf({ path: 'n'.repeat(100) });
  block.write('p'.repeat(155), 345);
  expect(parseTarHeader(withSum(block), 0)?.name.toString()).toBe(`${'p'.repeat(155)}/${'n'.repeat(100)}`);
});

test.each([
  ['the offset of a first data area', 386],
  ['the real size', 483],
])('GNU headers with %s are sparse whatever their type', (_, offset) => {
  const block = headerOf({ path: 'a', raw: { magic: 'ustar  \0' } });
  block.write('00000000000', offset);
  expect(parseTarHeader(withSum(block), 0)?.isOldSparse).toBe(true);
});

test('the same bytes belong to the prefix in a POSIX header', () => {
  const block = headerOf({ path: 'a' });
  block.fill('p', 345, 500);
  expect(parseTarHeader(withSum(block), 0)?.isOldSparse).toBe(false);
});

test('a block of zeros ends an archive', () => {
  expect(parseTarHeader(Buffer.alloc(512), 0)).toBeUndefined();
});

test.each<[string, (block: Buffer) => void]>([
  ['a wrong sum', (block) => block.write('0000001\0', 148)],
  ['an empty sum', (block) => block.fill(0, 148, 156)],
  ['zeros with a sum of blanks', (block) => block.fill(0).fill(0x20, 148, 156)],
  ['zeros with rubbish after the sum', (block) => block.fill(0).write('\0zz', 148)],
  ['a sum that is no number', (block) => block.write('xxxxxxx\0', 148)],
  ['noise', (block) => block.fill('noise')],
])('%s is no header', (_, change) => {
  const block = headerOf({ path: 'a' });
  change(block);
  expect(catchError(() => parseTarHeader(block, 1024))).toEqual({
    code: 'LAYER_REJECTED',
    message: "reading the layer's archive: no tar header at byte 1024",
    hint: 'Nothing of this layer was stored. Build and push the image again with a current tool, or ask its author.',
  });
});

test('a sum of signed bytes, as old writers made it, counts', () => {
  const block = headerOf({ path: 'é' });
  const unsigned = Number.parseInt(block.toString('latin1', 148, 154), 8);
  block.write(`${(unsigned - 2 * 256).toString(8).padStart(6, '0')}\0 `, 148);
  expect(parseTarHeader(block, 0)?.name.toString()).toBe('é');
});

test.each([
  ['letters', 'zzz'],
  ['a minus', '-0000000001'],
  ['a line feed before the digits', '\n12'],
  ['a no-break space before the digits', ' \xa012'],
  ['digits beyond octal', '00000000089'],
  ['a blank between digits', '0000 0012'],
  ['a negative base-256 number', '\xff'.repeat(12)],
  ['a base-256 number with more bits in its first byte', '\x81\0\0\0\0\0\0\0\0\0\0\0'],
  ['a base-256 number above 2^53', '\x80\0\0\0\0\x20\0\0\0\0\0\x01'],
  ['a base-256 number above 2^64', '\x80\x01\0\0\0\0\0\0\0\0\0\0'],
])('a size of %s is refused', (_, size) => {
  const block = headerOf({ path: 'a' });
  block.fill(0, 124, 136).write(size, 124, 'latin1');
  expect(catchError(() => parseTarHeader(withSum(block), 0)).message).toBe(
    "reading the layer's archive: a size that is no number at byte 0",
  );
});

test('a mode that is no number is refused', () => {
  const block = headerOf({ path: 'a' });
  block.write('rwxr-xr-x'.slice(0, 8), 100);
  expect(catchError(() => parseTarHeader(withSum(block), 0)).message).toBe(
    "reading the layer's archive: a mode that is no number at byte 0",
  );
});

function headerOf(entry: TarEntry): Buffer {
  return Buffer.from(buildTar([entry]).subarray(0, 512));
}

/** The block with the checksum that belongs to it. */
function withSum(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
