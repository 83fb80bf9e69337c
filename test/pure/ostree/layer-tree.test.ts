import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { type Checksum, toChecksum } from '../../../src/image/checksum.ts';
import { type DirectoryObjects, LayerTreeBuilder } from '../../../src/ostree/layer-tree.ts';
import { type DirTree, parseDirMeta, parseDirTree } from '../../../src/ostree/ostree-objects.ts';
import { catchError } from '../../support/thrown-error.ts';

const meta = (mode: number) => ({ uid: 1, gid: 2, mode: 0o040000 | mode, xattrs: [] });
const plain = { uid: 0, gid: 0, mode: 0o040755, xattrs: [] };
const sum = (digit: string): Checksum => toChecksum(digit.repeat(64));

class MemoryObjects implements DirectoryObjects {
  readonly #objects = new Map<string, Buffer>();

  write(kind: 'dirtree' | 'dirmeta', checksum: string, data: Buffer): void {
    expect(createHash('sha256').update(data).digest('hex')).toBe(checksum);
    this.#objects.set(`${checksum}.${kind}`, Buffer.from(data));
  }

  read(kind: 'dirtree' | 'dirmeta', checksum: string): Buffer {
    const data = this.#objects.get(`${checksum}.${kind}`);
    if (data === undefined) throw new Error(`${checksum}.${kind} was not written`);
    return data;
  }

  /** In the order of their writing. */
  trees(): DirTree[] {
    return [...this.#objects].flatMap(([name, data]) =>
      name.endsWith('.dirtree') ? [parseDirTree(data)] : [],
    );
  }

  readDirTree(checksum: string): DirTree {
    return parseDirTree(this.read('dirtree', checksum));
  }
}

/** Lines of `MODE PATH` and `PATH CHECKSUM-DIGIT`, read back from the objects. */
function describe(build: (builder: LayerTreeBuilder) => void, interval?: number): string[] {
  const objects = new MemoryObjects();
  const builder = new LayerTreeBuilder(objects, interval);
  build(builder);
  const root = builder.finish();
  const lines: string[] = [];
  const visit = (path: string, dirtree: string, dirmeta: string): void => {
    const { mode } = parseDirMeta(objects.read('dirmeta', dirmeta));
    lines.push(`${(mode & 0o7777).toString(8)} /${path}`);
    const tree = objects.readDirTree(dirtree);
    for (const { name, checksum } of tree.files) lines.push(`/${path}${name} ${checksum.charAt(0)}`);
    for (const child of tree.directories) visit(`${path}${child.name}/`, child.dirtree, child.dirmeta);
  };
  visit('', root.dirtree, root.dirmeta);
  return lines;
}

test('nothing is an empty root', () => {
  expect(describe(() => undefined)).toEqual(['755 /']);
});

test('entries in any order', () => {
  const lines = describe((builder) => {
    builder.addFile('b/z', sum('1'));
    builder.addFile('b/\u{1f600}', sum('2'));
    builder.addFile('b/\uffee', sum('3'));
    builder.addDirectory('b', meta(0o700));
    builder.addDirectory('', meta(0o711));
    builder.hideFile('dev/null', sum('9'));
    builder.hideFile('dev/.wh.x', sum('9'));
    builder.addFile('a/x', sum('4'));
  });
  expect(lines).toEqual([
    '711 /',
    '755 /a/',
    '/a/x 4',
    '700 /b/',
    '/b/z 1',
    // By bytes, not by UTF-16 units.
    '/b/\uffee 3',
    '/b/\u{1f600} 2',
    '755 /dev/',
    '/dev/.wh.null 9',
    '/dev/.wh.x 9',
  ]);
});

test('entries that go to and fro between directories', () => {
  const folder = fc.constantFrom('', 'a/', 'b/', 'b/c/');
  const digit = fc.constantFrom('1', '2', '3');
  const entry = fc.record({ folder, name: fc.constantFrom('w', 'x', 'y'), digit, link: fc.boolean() });
  const interval = fc.constantFrom(1, 2, 7, 1000);
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 100 }), interval, (entries, interval) => {
      const expected = new Map<string, string>();
      const lines = describe((builder) => {
        let last: string | undefined;
        for (const { folder, name, digit, link } of entries) {
          const path = `${folder}${name}`;
          const target = link ? last : undefined;
          if (target === undefined) builder.addFile(path, sum(digit));
          else builder.addHardLink(path, target);
          expected.set(`/${path}`, (target === undefined ? undefined : expected.get(`/${target}`)) ?? digit);
          last = path;
        }
      }, interval);
      const files = lines.filter((line) => line.startsWith('/'));
      expect(files.sort()).toEqual([...expected].map(([path, checksum]) => `${path} ${checksum}`).sort());
    }),
    { numRuns: 200, seed: 20261124 },
  );
});

test('a later entry replaces an earlier one, and a hard link is the earlier file', () => {
  const lines = describe((builder) => {
    builder.addFile('a', sum('1'));
    builder.addHardLink('d/link', 'a');
    builder.addFile('a', sum('2'));
    builder.addDirectory('d', meta(0o700));
    builder.addDirectory('d', meta(0o750));
    builder.addFile('e', sum('3'));
    builder.addDirectory('e', meta(0o700));
    builder.addFile('f', sum('4'));
    builder.hideFile('f', sum('9'));
  });
  expect(lines).toEqual(['755 /', '/.wh.f 9', '/a 2', '750 /d/', '/d/link 1', '700 /e/']);
});

const refusals: [string, (builder: LayerTreeBuilder) => void, string][] = [
  ['a file over a directory', (b) => [b.addDirectory('a', plain), b.addFile('a', sum('1'))], 'a is both'],
  ['a file below a file', (b) => [b.addFile('a', sum('1')), b.addFile('a/b/c', sum('1'))], 'a/b: a is both'],
  [
    'a link to nothing',
    (b) => b.addHardLink('a', 'b/c'),
    'the hard link a leads to b/c, which is not an earlier file',
  ],
  [
    'a link to itself',
    (b) => b.addHardLink('a', 'a'),
    'the hard link a leads to a, which is not an earlier file',
  ],
  [
    'a link through a file',
    (b) => [b.addFile('f', sum('1')), b.addHardLink('a', 'f/x')],
    'the hard link a leads to f/x, which is not an earlier file',
  ],
];

// With the directories in memory, and with those that were left written.
test.each([1, 1000].flatMap((interval) => refusals.map((refusal) => [...refusal, interval] as const)))(
  '%s is refused',
  (_, build, problem, interval) => {
    expect(catchError(() => build(new LayerTreeBuilder(new MemoryObjects(), interval)))).toMatchObject({
      code: 'LAYER_REJECTED',
      message: expect.stringContaining(`reading the layer's archive: ${problem}`),
    });
  },
);

test('directories that were left are written, and only those are in memory that lie above the last entry', () => {
  const objects = new MemoryObjects();
  const builder = new LayerTreeBuilder(objects, 2);
  builder.addFile('a/b/x', sum('1'));
  builder.addFile('c/y', sum('2'));
  const [left] = objects.trees();
  expect(objects.trees()).toHaveLength(2);
  expect(left?.files).toEqual([{ name: 'x', checksum: sum('1') }]);
  builder.addFile('a/b/z', sum('3'));
  builder.finish();
  expect(objects.trees().map(({ files }) => files.map(({ name }) => name))).toContainEqual(['x', 'z']);
});

test('an archive that goes to and fro between large directories is read in a time like any other', () => {
  const objects = new MemoryObjects();
  const builder = new LayerTreeBuilder(objects, 8);
  const files = 4096;
  for (let index = 0; index < files; index++) {
    builder.addFile(`${index % 2 === 0 ? 'even' : 'odd'}/${index}`, sum('1'));
  }
  builder.finish();
  const namesWritten = objects.trees().reduce((count, { files }) => count + files.length, 0);
  expect(namesWritten).toBeLessThan(4 * files);
});

test('an unnamed directory becomes a plain one', () => {
  const objects = new MemoryObjects();
  const { dirmeta } = new LayerTreeBuilder(objects).finish();
  expect(parseDirMeta(objects.read('dirmeta', dirmeta))).toEqual(plain);
});
