import { expect, test } from 'bun:test';
import { TarReader } from '../../../src/tar/tar-reader.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
import { catchError } from '../../support/thrown-error.ts';

/** @returns of each entry its name, sparse map and content */
function read(archive: Buffer, chunk = archive.length) {
  const entries: { name: string; areas: unknown; size: number | undefined; content: string }[] = [];
  const frames: Uint8Array[] = [];
  const reader = new TarReader({
    frame: (bytes) => frames.push(Uint8Array.from(bytes)),
    entry: ({ name, sparse }) =>
      entries.push({ name: name.toString(), areas: sparse?.areas, size: sparse?.size, content: '' }),
    content(bytes) {
      frames.push(Uint8Array.from(bytes));
      const last = entries.at(-1);
      if (last !== undefined) last.content += bytes.toString('latin1');
    },
  });
  for (let at = 0; at < archive.length; at += chunk) reader.push(archive.subarray(at, at + chunk));
  reader.finish();
  expect(Buffer.concat(frames).equals(archive)).toBe(true);
  return entries;
}

const MAP = Buffer.alloc(512);
MAP.write('2\n3\n4\n600\n2\n');
const version0 = { 'GNU.sparse.size': '700', 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '3,4,600,2' };
const version1 = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '700' };
const expected = {
  areas: [
    [3, 4],
    [600, 2],
  ],
  size: 700,
  content: 'abcdef',
};

/** A record for each area, as GNU tar 1.14 wrote them. */
function version00(): Buffer {
  const areas = [3, 4, 600, 2].map(
    (number, index) => [index % 2 === 0 ? 'offset' : 'numbytes', number] as const,
  );
  const records = [['size', 700] as const, ['numblocks', 2] as const, ...areas].map(([key, number]) => {
    const rest = ` GNU.sparse.${key}=${number}\n`;
    return `${rest.length + 2}${rest}`;
  });
  return Buffer.concat([
    buildTar([{ path: 'x', content: records.join(''), raw: { typeFlag: 'x' } }], { ending: 'no-trailer' }),
    buildTar([{ path: 'd/f', content: 'abcdef' }, { path: 'g' }]),
  ]);
}

test.each<[string, Buffer]>([
  ['0.0', version00()],
  [
    '0.1',
    buildTar([
      { path: 'x', content: 'abcdef', pax: { ...version0, 'GNU.sparse.name': 'd/f' } },
      { path: 'g' },
    ]),
  ],
  [
    '1.0',
    buildTar([
      {
        path: 'x',
        content: Buffer.concat([MAP, Buffer.from('abcdef')]),
        pax: { ...version1, 'GNU.sparse.name': 'd/f' },
      },
      { path: 'g' },
    ]),
  ],
])('version %s, wherever the archive is cut', (_, archive) => {
  for (const chunk of [archive.length, 1, 511, 700]) {
    expect(read(archive, chunk)).toEqual([
      { name: 'd/f', ...expected },
      { name: 'g', areas: undefined, size: undefined, content: '' },
    ]);
  }
});

test('a map of more than one block, and a file of holes only', () => {
  const lines = Array.from({ length: 200 }, (_, index) => `${index * 10}\n1\n`).join('');
  const map = Buffer.alloc(1536);
  map.write(`200\n${lines}`);
  const pax = { ...version1, 'GNU.sparse.realsize': '2000' };
  const empty = Buffer.alloc(512);
  empty.write('1\n2000\n0\n');
  const archive = buildTar([
    { path: 'a', content: Buffer.concat([map, Buffer.alloc(200, 'x')]), pax },
    { path: 'b', content: empty, pax },
  ]);
  const [many, none] = read(archive);
  expect(many?.areas).toHaveLength(200);
  expect(many?.content).toBe('x'.repeat(200));
  expect(none).toEqual({ name: 'b', areas: [[2000, 0]], size: 2000, content: '' });
});

const map = (text: string, rest = ''): Buffer => {
  const block = Buffer.alloc(512);
  block.write(text);
  return Buffer.concat([block, Buffer.from(rest)]);
};

test.each<[string, Partial<TarEntry>, string]>([
  ['only a name', { pax: { 'GNU.sparse.name': 'b' } }, 'a sparse file with a malformed number'],
  ['no size', { pax: { 'GNU.sparse.numblocks': '0' } }, 'a sparse file with a malformed number'],
  [
    'another version',
    { pax: { 'GNU.sparse.major': '2', 'GNU.sparse.minor': '0' } },
    'a sparse file of the version 2.0',
  ],
  ['half a version', { pax: { 'GNU.sparse.major': '1' } }, 'a sparse file of the version 1.?'],
  [
    'an unknown record',
    { pax: { 'GNU.sparse.more': '1' } },
    'a sparse file with the record "GNU.sparse.more"',
  ],
  ['two maps', { pax: { ...version1, 'GNU.sparse.map': '0,1' } }, 'a sparse file with two maps'],
  ['two sizes', { pax: { ...version0, 'GNU.sparse.realsize': '1' } }, 'a sparse file with two sizes'],
  ['an empty name', { pax: { ...version1, 'GNU.sparse.name': '' } }, 'a sparse file without name'],
  [
    'a name that leaves the root',
    { pax: { ...version0, 'GNU.sparse.name': '../b' } },
    'the name "../b" with ".."',
  ],
  ['a symlink', { type: 'symlink', linkName: 'x', pax: version0 }, 'a sparse symlink'],
  [
    'another number of areas',
    { pax: { ...version0, 'GNU.sparse.numblocks': '3' } },
    'a sparse file whose map has a wrong number of areas',
  ],
  [
    'a negative offset',
    { pax: { ...version0, 'GNU.sparse.map': '-1,4,600,2' } },
    'a sparse file with a malformed number',
  ],
  [
    'an area that begins in another',
    { content: 'abcdef', pax: { ...version0, 'GNU.sparse.map': '3,4,6,2' } },
    'a sparse file whose areas do not fit',
  ],
  [
    'an area behind the end',
    { content: 'abcdef', pax: { ...version0, 'GNU.sparse.size': '601' } },
    'a sparse file whose areas do not fit',
  ],
  [
    'less content than areas',
    { content: 'abcde', pax: version0 },
    'a sparse file with 5 bytes of content for 6',
  ],
  [
    'more content than areas',
    { content: 'abcdefg', pax: version0 },
    'a sparse file with 7 bytes of content for 6',
  ],
  [
    'a map that is cut short',
    { content: '2\n3\n4\n', pax: version1 },
    'a sparse file with an incomplete map',
  ],
  ['no areas', { content: map('0\n'), pax: version1 }, 'a sparse file without areas'],
  [
    'a map that is not filled up',
    { content: '1\n0\n0\n', pax: version1 },
    'a sparse file with an incomplete map',
  ],
  ['a map without numbers', { content: map('x\n'), pax: version1 }, 'a sparse file with a malformed number'],
  [
    'a map of too much',
    { content: map('1\n0\n9\n', 'abc'), pax: version1 },
    'a sparse file with 3 bytes of content for 9',
  ],
  [
    'a map behind the end',
    { content: map('1\n700\n1\n', 'a'), pax: version1 },
    'a sparse file whose areas do not fit',
  ],
  [
    'a map without end',
    { content: '1\n'.repeat(600_000).replace('1', '9'.repeat(9)), pax: version1 },
    'a sparse file with an incomplete map',
  ],
])('refused: %s', (_, entry, problem) => {
  const archive = buildTar([{ path: 'a', ...entry }]);
  expect(catchError(() => read(archive)).message).toStartWith(
    `reading the layer's archive: ${problem} at byte `,
  );
});

test('the files of a layer may have 4 GiB with their holes', () => {
  const pax = { 'GNU.sparse.size': '2147483648', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '1,0' };
  const archive = buildTar([
    { path: 'a', pax },
    { path: 'b', pax },
    { path: 'c', pax: { ...pax, 'GNU.sparse.size': '1' } },
  ]);
  expect(catchError(() => read(archive)).message).toStartWith(
    "reading the layer's archive: more than 4294967296 bytes of sparse files at byte ",
  );
});
