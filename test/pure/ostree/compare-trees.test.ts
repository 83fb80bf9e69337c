import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { compareUtf8 } from '../../../src/base/compare-utf8.ts';
import { type Checksum, computeChecksum, toChecksum } from '../../../src/image/checksum.ts';
import {
  compareTrees,
  type ReadableTree,
  type TreeDifference,
  type TreeEntry,
} from '../../../src/ostree/compare-trees.ts';
import { type DirTree, formatDirTree, parseDirTree } from '../../../src/ostree/ostree-objects.ts';

/** A directory with its dirmeta, or the checksum of a file. */
type Node = { readonly meta: Checksum; readonly children: ReadonlyMap<string, Node> } | Checksum;
type Directory = Exclude<Node, Checksum>;

const checksum = fc.constantFrom('0', '1', '2').map((digit) => toChecksum(digit.repeat(64)));
const name = fc.constantFrom('a', 'b', 'a.b', 'ü', '\u{1f600}', '\uffff');
const { directory } = fc.letrec<{ directory: Directory; node: Node }>((tie) => ({
  directory: fc.record({
    meta: checksum,
    children: fc.array(fc.tuple(name, tie('node')), { maxLength: 4 }).map((entries) => new Map(entries)),
  }),
  node: fc.oneof({ maxDepth: 3 }, checksum, tie('directory')),
}));

/** Dirtree objects by checksum, and which of them were read. */
class Objects {
  readonly #data = new Map<string, Buffer>();
  readonly reads: string[] = [];

  store({ meta, children }: Directory): ReadableTree {
    const byName = [...children].sort(([a], [b]) => compareUtf8(a, b));
    const data = formatDirTree({
      files: byName.flatMap(([name, node]) => (typeof node === 'string' ? [{ name, checksum: node }] : [])),
      directories: byName.flatMap(([name, node]) =>
        typeof node === 'string' ? [] : [{ name, ...this.store(node) }],
      ),
    });
    const dirtree = computeChecksum(data);
    this.#data.set(dirtree, data);
    return { dirtree, dirmeta: meta, readTree: this.read };
  }

  readonly read = (dirtree: string): DirTree => {
    this.reads.push(dirtree);
    return parseDirTree(this.#data.get(dirtree) ?? Buffer.alloc(0));
  };
}

function flatten(node: Node, path = ''): [string, TreeEntry][] {
  const own = path === '' ? '/' : path;
  if (typeof node === 'string') return [[own, { kind: 'file', checksum: node }]];
  const below = [...node.children].flatMap(([name, child]) => flatten(child, `${path}/${name}`));
  return [[own, { kind: 'directory', dirmeta: node.meta }], ...below];
}

/** Every path of both, one by one. */
function compareNaively(a: Directory, b: Directory): TreeDifference[] {
  const [before, after] = [new Map(flatten(a)), new Map(flatten(b))];
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  return paths
    .sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
    .flatMap((path): TreeDifference[] => {
      const [old, now] = [before.get(path), after.get(path)];
      if (old === undefined) return now === undefined ? [] : [{ kind: 'added', path, after: now }];
      if (now === undefined) return [{ kind: 'removed', path, before: old }];
      return Bun.deepEquals(old, now) ? [] : [{ kind: 'changed', path, before: old, after: now }];
    });
}

test('finds what a comparison path by path finds', () => {
  fc.assert(
    fc.property(directory, directory, (a, b) => {
      const objects = new Objects();
      expect(compareTrees(objects.store(a), objects.store(b))).toEqual(compareNaively(a, b));
    }),
    { numRuns: 500 },
  );
});

test('equal trees are not read, equal subtrees neither', () => {
  const file = (digit: string): Checksum => toChecksum(digit.repeat(64));
  const meta = file('0');
  const shared: Directory = { meta, children: new Map([['big', file('1')]]) };
  const [a, b] = ['2', '3'].map(
    (digit): Directory => ({
      meta,
      children: new Map<string, Node>([
        ['shared', shared],
        ['own', file(digit)],
      ]),
    }),
  );
  if (a === undefined || b === undefined) throw new Error('two trees');
  const objects = new Objects();
  const [before, after] = [objects.store(a), objects.store(b)];
  expect(compareTrees(before, before)).toEqual([]);
  expect(objects.reads).toEqual([]);
  expect(compareTrees(before, after)).toHaveLength(1);
  expect(objects.reads).toEqual([before.dirtree, after.dirtree]);
  // A shared subtree whose folder has another mode: the folder only.
  const other: Directory = {
    meta,
    children: new Map<string, Node>([['shared', { ...shared, meta: file('9') }]]),
  };
  expect(compareTrees(before, objects.store(other)).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'removed /own',
    'changed /shared',
  ]);
});
