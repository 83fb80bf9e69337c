/**
 * An image must not have one content here and another content for the tools that scan, sign and serve it. libarchive
 * must read every accepted archive as the same entries, or refuse it.
 */
import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { AtomicError } from '../../src/base/errors.ts';
import type { SparseMap } from '../../src/tar/sparse-map.ts';
import { TarReader } from '../../src/tar/tar-reader.ts';
import { buildTar, type TarEntry, type TarEntryType } from '../support/tar-writer.ts';
import { type ListedEntry, listArchive } from './list-archive.ts';

const SEED = 20261123;
const LONG = 'n'.repeat(120);

/** What libarchive makes of archives that readers understand differently: why our reader refuses them. */
test.each<[string, Buffer, readonly ListedEntry[] | string]>([
  [
    'a volume header hides entries in what others take for its content',
    buildTar([{ path: 'v', content: hidden('../evil'), raw: { typeFlag: 'V' } }, { path: 'b' }]),
    [file('../evil'), file('b')],
  ],
  [
    'a PAX size of a directory hides an entry',
    Buffer.concat([
      buildTar([{ path: 'd', type: 'directory', pax: { size: '512' } }], { ending: 'no-trailer' }),
      buildTar([{ path: 'seen', content: hidden('../evil') }]),
    ]),
    [{ name: 'd', kind: 'directory', content: expect.anything() as unknown as string }, file('../evil')],
  ],
  [
    'more areas of a sparse file hide an entry, whatever the type',
    oldSparse(buildTar([{ path: 'a', raw: { magic: 'ustar  \0' } }, { path: 'b' }, { path: 'c' }])),
    [file('a'), file('c')],
  ],
  [
    'a Sun PAX header renames',
    buildTar([{ path: 'x', content: '11 path=zz\n', raw: { typeFlag: 'X' } }, { path: 'b' }]),
    [file('zz')],
  ],
  [
    'a PAX name wins over a GNU name that comes after it',
    buildTar([{ path: LONG, longNames: 'gnu', pax: { path: 'b' } }]),
    [file('b')],
  ],
  ['a sparse file has another name', buildTar([{ path: 'a', pax: { 'GNU.sparse.name': 'b' } }]), [file('b')]],
  [
    'an incremental directory is none for others',
    buildTar([{ path: 'a', content: 'x', raw: { typeFlag: 'D' } }]),
    [{ name: 'a', kind: 'directory', content: 'x' }],
  ],
])('refused: %s', (_, archive, read) => {
  expect(listArchive(archive)).toEqual(read);
  expect(scan(archive)).toStartWith("reading the layer's archive: ");
});

test('names are kept byte for byte, where libarchive composes them', () => {
  const names = ['e\u0301', '\u00e9', '\u212b', '\u{1f600}', '\uac00', '\u1100\u1161', '\ufeffx'];
  const archive = buildTar(names.map((path) => ({ path: 'a', pax: { path, uname: 'ü', gname: 'u\u0308' } })));
  expect(namesIn(scan(archive))).toEqual(names);
  const listed = namesIn(listArchive(archive));
  expect(listed).not.toEqual(names);
  expect(listed.map((name) => name.normalize('NFC'))).toEqual(names.map((name) => name.normalize('NFC')));
});

const name = fc.oneof(
  fc.constantFrom('a', 'd/b', 'x/y/z', './r', '/abs', 'd//e', 'dir/', '', '.', '../up', `${LONG}/f`),
  fc.constantFrom('é/ü', 'e\u0301/q', `${'p'.repeat(60)}/${'q'.repeat(60)}`, `${LONG}${LONG}`),
);
const entry: fc.Arbitrary<TarEntry> = fc.record(
  {
    path: name,
    type: fc.constantFrom<TarEntryType>('file', 'file', 'directory', 'symlink', 'hardlink', 'fifo', 'char'),
    content: fc.integer({ min: 0, max: 1500 }).map((length) => 'c'.repeat(length)),
    linkName: name,
    longNames: fc.constantFrom('pax', 'gnu'),
    numbers: fc.constantFrom('octal', 'base256'),
    pax: fc.constantFrom<Record<string, string>>(
      ...['0', '3', '600', '', '-1', '1e3'].map((size) => ({ size })),
      ...['b', '', 'ü', 'd/'].map((path) => ({ path })),
      { comment: 'x' },
      { linkpath: 't' },
      { hdrcharset: 'BINARY' },
      { 'SCHILY.xattr.user.x': '\0b' },
      { mtime: '1.5' },
    ),
    raw: fc.record(
      {
        magic: fc.constantFrom('ustar  \0', 'ustar\x0000', '', 'ustar  0', 'ustar \x00x'),
        typeFlag: fc.constantFrom(...'01257\0SVXAMNDgxLKa'),
        size: fc.constantFrom(
          '00000000010\0',
          '   10\0',
          '\n10\0',
          '-1\0',
          '0000 001\0',
          '\x80'.padEnd(12, '\x05'),
        ),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['path'] },
);
/** Areas as distances and lengths, so that most of them fit. */
const sparseEntry: fc.Arbitrary<TarEntry> = fc
  .record({
    areas: fc.array(fc.tuple(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 0, max: 40 })), {
      maxLength: 5,
    }),
    hole: fc.integer({ min: 0, max: 600 }),
    version: fc.constantFrom('0.1', '1.0'),
    name: fc.constantFrom<Record<string, string>>({}, { 'GNU.sparse.name': 'd/sparse' }),
    other: fc.constantFrom<Record<string, string>>(
      {},
      {},
      {},
      { 'GNU.sparse.size': '7' },
      { 'GNU.sparse.map': '1,2' },
    ),
  })
  .map(({ areas, hole, version, name, other }) => {
    let end = 0;
    const numbers = areas.flatMap(([distance, length]) => {
      const offset = end + distance;
      end = offset + length;
      return [offset, length];
    });
    const data = areas.map(([, length], index) => String(index).repeat(length)).join('');
    const size = String(end + hole);
    if (version === '0.1') {
      const map = { 'GNU.sparse.size': size, 'GNU.sparse.numblocks': String(areas.length) };
      return {
        path: 'p',
        content: data,
        pax: { ...map, 'GNU.sparse.map': numbers.join(','), ...name, ...other },
      };
    }
    const map = [areas.length, ...numbers].map((number) => `${number}\n`).join('');
    const records = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': size };
    const content = `${map.padEnd(Math.ceil(map.length / 512) * 512, '\0')}${data}`;
    return { path: 'p', content, pax: { ...records, ...name, ...other } };
  });
const change = fc.record({
  block: fc.nat(),
  kind: fc.constantFrom('byte', 'byte', 'type', 'drop', 'repeat', 'cut'),
  at: fc.constantFrom(
    0,
    1,
    99,
    100,
    124,
    125,
    135,
    148,
    156,
    157,
    257,
    262,
    263,
    264,
    345,
    386,
    482,
    483,
    511,
  ),
  byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0x20, 0x2f, 0x30, 0x37, 0x80)),
  hasSum: fc.boolean(),
});

test('what our reader accepts libarchive reads as the same entries, or refuses', () => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: entry }, { weight: 1, arbitrary: sparseEntry }), {
        maxLength: 5,
      }),
      fc.constantFrom('complete' as const, 'no-trailer' as const, 'unpadded' as const),
      fc.array(change, { maxLength: 4 }),
      (entries, ending, changes) => {
        const archive = changes.reduce(apply, buildTar(entries.map(withFittingContent), { ending }));
        const scanned = scan(archive);
        if (typeof scanned === 'string') return;
        const read = listArchive(Buffer.concat([archive, END]));
        if (typeof read === 'string') return;
        compared += 1;
        const composed = scanned.map(({ name, content }) => ({ name: name.normalize('NFC'), content }));
        expect(read.map(({ name, content }) => ({ name: name.normalize('NFC'), content }))).toEqual(composed);
      },
    ),
    { numRuns: 2500, seed: SEED },
  );
  expect(compared).toBeGreaterThan(250);
});

test('bsdtar lists the names that our reader saw', () => {
  const plain = fc.record(
    {
      path: fc.stringMatching(/^(?:[a-z]|é|\u0301){1,200}(?:\/[a-z]{1,90}){0,3}$/),
      content: fc.constantFrom('', 'abc', 'x'.repeat(600)),
      longNames: fc.constantFrom('pax' as const, 'gnu' as const),
    },
    { requiredKeys: ['path'] },
  );
  for (const entries of fc.sample(fc.array(plain, { minLength: 1, maxLength: 20 }), {
    numRuns: 10,
    seed: SEED,
  })) {
    const scanned = scan(buildTar(entries));
    if (typeof scanned === 'string') {
      expect(scanned).toContain('a file in the place of a directory');
      continue;
    }
    const listing = execFileSync('bsdtar', ['-tf', '-'], {
      input: buildTar(entries),
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    const names = scanned.map(({ name }) => name.normalize('NFC'));
    expect(listing.toString().normalize('NFC').trimEnd().split('\n')).toEqual(names);
  }
});

/** Only files have content, so that most archives are good ones. */
function withFittingContent(made: TarEntry): TarEntry {
  if (made.type === undefined || made.type === 'file') return { ...made, linkName: '' };
  const { content: _, ...rest } = made;
  return rest;
}

function apply(archive: Buffer, made: typeof change extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const blocks = Math.floor(archive.length / 512);
  if (blocks === 0) return archive;
  const start = (made.block % blocks) * 512;
  const copy = Buffer.from(archive);
  switch (made.kind) {
    case 'drop':
      return Buffer.concat([archive.subarray(0, start), archive.subarray(start + 512)]);
    case 'repeat':
      return Buffer.concat([archive.subarray(0, start + 512), archive.subarray(start)]);
    case 'cut':
      return archive.subarray(0, start + made.at);
    case 'type':
      copy.write('0125xLKg'.charAt(made.byte % 8), start + 156);
      break;
    case 'byte':
      copy[start + made.at] = made.byte;
  }
  if (made.hasSum) writeSum(copy, start);
  return copy;
}

/** libarchive wants the end that our reader can do without. */
const END = Buffer.alloc(3 * 512);

type Scanned = readonly { readonly name: string; readonly content: string }[];

/** @returns the reason when the archive is refused */
function scan(archive: Buffer): Scanned | string {
  const entries: { name: string; content: string }[] = [];
  let sparse: SparseMap | undefined;
  const endFile = (): void => {
    const last = entries.at(-1);
    if (last !== undefined && sparse !== undefined) last.content = unfold(last.content, sparse);
  };
  const reader = new TarReader({
    frame: () => undefined,
    entry(found) {
      endFile();
      sparse = found.sparse;
      entries.push({ name: found.name.toString('utf8'), content: '' });
    },
    content(bytes) {
      const last = entries.at(-1);
      if (last !== undefined) last.content += bytes.toString('latin1');
    },
  });
  try {
    reader.push(archive);
    reader.finish();
    endFile();
    return entries;
  } catch (error) {
    if (error instanceof AtomicError && error.code === 'LAYER_REJECTED') return error.message;
    throw error;
  }
}

function unfold(content: string, { size, areas }: SparseMap): string {
  const file = Buffer.alloc(size);
  let at = 0;
  for (const [offset, length] of areas) {
    file.write(content.slice(at, at + length), offset, 'latin1');
    at += length;
  }
  return file.toString('latin1');
}

function namesIn(read: Scanned | string): readonly string[] {
  if (typeof read === 'string') throw new Error(read);
  return read.map(({ name }) => name);
}

function file(path: string): ListedEntry {
  return { name: path, kind: 'file', content: '' };
}

/** The header of an empty file, as the content of another one. */
function hidden(path: string): Buffer {
  return buildTar([{ path }], { ending: 'no-trailer' });
}

/** Says in the first header, of GNU's kind, that the next block goes on describing data areas. */
function oldSparse(archive: Buffer): Buffer {
  archive.write('00000000000', 386);
  archive.write('\x01', 482);
  writeSum(archive, 0);
  return archive;
}

function writeSum(archive: Buffer, at: number): void {
  archive.fill(0x20, at + 148, at + 156);
  const sum = archive.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
}
