import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { compareUtf8 } from '../../../src/base/compare-utf8.ts';
import { type Checksum, computeChecksum } from '../../../src/image/checksum.ts';
import {
  type DirTree,
  formatDirTree,
  parseDirTree,
  plainDirectory,
} from '../../../src/ostree/ostree-objects.ts';
import { type LayerTree, mergeLayers } from '../../../src/store/merge-layers.ts';

/** A tree as nested objects: a string is a file's content, an object a directory. */
interface Tree {
  [name: string]: string | Tree;
}

const sha256 = (data: string | Buffer): Checksum => computeChecksum(Buffer.from(data));

class Objects {
  readonly dirtrees = new Map<string, Buffer>();

  add(tree: Tree): Checksum {
    const entries = Object.entries(tree).sort(([a], [b]) => compareUtf8(a, b));
    const dirTree: DirTree = {
      files: entries.flatMap(([name, value]) =>
        typeof value === 'string' ? [{ name, checksum: sha256(value) }] : [],
      ),
      directories: entries.flatMap(([name, value]) =>
        typeof value === 'string' ? [] : [{ name, dirtree: this.add(value), dirmeta: sha256('explicit') }],
      ),
    };
    const data = formatDirTree(dirTree);
    this.dirtrees.set(sha256(data), data);
    return sha256(data);
  }

  layer(tree: Tree, implied: readonly string[] = [], dirmeta = sha256('root')): LayerTree {
    return { dirtree: this.add(tree), dirmeta, impliedDirectories: new Set(implied), mayHaveWhiteouts: true };
  }

  read = (checksum: string): Buffer => {
    const data = this.dirtrees.get(checksum);
    if (data === undefined) throw new Error(`no object ${checksum}`);
    return data;
  };

  merge(...layers: LayerTree[]): string {
    const merged = mergeLayers(layers, this.read);
    for (const [checksum, data] of merged.created) {
      expect(sha256(data)).toBe(checksum);
      this.dirtrees.set(checksum, data);
    }
    return merged.dirtree;
  }
}

function mergeTrees(...trees: Tree[]): string {
  const objects = new Objects();
  return objects.merge(...trees.map((tree) => objects.layer(tree)));
}

const cases: [name: string, layers: Tree[], expected: Tree][] = [
  ['one layer stays as it is', [{ a: '1', d: { b: '2' } }], { a: '1', d: { b: '2' } }],
  ['an upper file replaces a lower one', [{ a: '1' }, { a: '2' }], { a: '2' }],
  ['directories are united', [{ d: { a: '1', c: {} } }, { d: { b: '2' } }], { d: { a: '1', b: '2', c: {} } }],
  ['a whiteout removes a file', [{ a: '1', b: '2' }, { '.wh.a': '' }], { b: '2' }],
  ['a whiteout removes a directory', [{ d: { a: '1' }, b: '2' }, { '.wh.d': '' }], { b: '2' }],
  ['a whiteout spares its own layer', [{ a: '1' }, { a: '2', '.wh.a': '' }], { a: '2' }],
  [
    'a whiteout of a directory that the layer fills again leaves only the new files',
    [{ d: { a: '1' } }, { '.wh.d': '', d: { b: '2' } }],
    { d: { b: '2' } },
  ],
  [
    'an opaque directory hides what is below',
    [{ d: { a: '1', e: { f: '' } } }, { d: { b: '2', '.wh..wh..opq': '' } }],
    { d: { b: '2' } },
  ],
  ['an opaque root hides everything', [{ a: '1' }, { '.wh..wh..opq': '', b: '2' }], { b: '2' }],
  [
    'whiteouts of the base mean nothing and vanish',
    [{ '.wh.a': '', d: { '.wh..wh..opq': '', b: '1' } }],
    { d: { b: '1' } },
  ],
  ['names of aufs vanish', [{ '.wh..wh.plnk': { x: '1' }, '.wh..wh.aufs': '' }], {}],
  [
    'a directory replaces a file or symlink',
    [{ evil: '-> /etc' }, { evil: { passwd: 'root' } }],
    { evil: { passwd: 'root' } },
  ],
  ['a file replaces a directory', [{ d: { a: '1' } }, { d: '2' }], { d: '2' }],
  ['a removed file can come back', [{ a: '1' }, { '.wh.a': '' }, { a: '3' }], { a: '3' }],
  [
    'names are ordered by bytes',
    [{ '\uff5e': '1' }, { '\u{1f600}': '2' }],
    { '\uff5e': '1', '\u{1f600}': '2' },
  ],
];

for (const [name, layers, expected] of cases) {
  test(name, () => {
    expect(mergeTrees(...layers)).toBe(mergeTrees(expected));
  });
}

test('an implied directory keeps the owner and mode of a lower layer, a named one does not', () => {
  const objects = new Objects();
  const lower = { ...objects.layer({ d: { a: '1' } }), dirmeta: sha256('lower root') };
  const upper = objects.layer({ d: { b: '2' } }, ['', 'd'], sha256('implied root'));
  const lowerMeta = parseDirTree(objects.read(lower.dirtree)).directories[0]?.dirmeta;
  const merged = mergeLayers([lower, { ...upper, dirtree: retouch(objects, upper.dirtree) }], objects.read);
  expect(merged.dirmeta).toBe(sha256('lower root'));
  expect(parseDirTree(merged.created.get(merged.dirtree) ?? Buffer.alloc(0)).directories[0]?.dirmeta).toBe(
    lowerMeta,
  );
  const named = mergeLayers(
    [lower, { ...upper, dirtree: retouch(objects, upper.dirtree), impliedDirectories: new Set() }],
    objects.read,
  );
  expect(named.dirmeta).toBe(sha256('implied root'));
  expect(parseDirTree(named.created.get(named.dirtree) ?? Buffer.alloc(0)).directories[0]?.dirmeta).toBe(
    sha256('default'),
  );
});

/** Gives the directories of a root another dirmeta, as an archive without entries for them would have. */
function retouch(objects: Objects, root: string): Checksum {
  const { files, directories } = parseDirTree(objects.read(root));
  const data = formatDirTree({
    files,
    directories: directories.map((d) => ({ ...d, dirmeta: sha256('default') })),
  });
  objects.dirtrees.set(sha256(data), data);
  return sha256(data);
}

test('an implied directory over nothing is plain', () => {
  const objects = new Objects();
  const layer = { ...objects.layer({ d: { e: { a: '1' } } }, ['', 'd']), mayHaveWhiteouts: false };
  const merged = mergeLayers([layer], objects.read);
  const [d] = parseDirTree(merged.created.get(merged.dirtree) ?? Buffer.alloc(0)).directories;
  expect(merged.dirmeta).toBe(plainDirectory.checksum);
  expect(d?.dirmeta).toBe(plainDirectory.checksum);
  expect(parseDirTree(objects.read(d?.dirtree ?? '')).directories[0]?.dirmeta).toBe(sha256('explicit'));
});

for (const name of ['.wh.', '.wh..', '.wh...']) {
  test(`the whiteout ${name} is rejected`, () => {
    expect(() => mergeTrees({}, { d: { [name]: '' } })).toThrow(
      `merging layers: the whiteout /d/${name} names no file`,
    );
  });
}

test('a layer without whiteouts is merged as one that may have them', () => {
  const plain = fc.letrec<{ tree: Tree; node: string | Tree }>((tie) => ({
    node: fc.oneof({ depthSize: 'small' }, fc.constantFrom('1', '2'), tie('tree')),
    tree: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { maxKeys: 3, noNullPrototype: true }),
  })).tree;
  const chosen = fc.func(fc.boolean());
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 4 }), chosen, (trees, isImplied) => {
      const objects = new Objects();
      const layers = trees.map((each, index) => {
        const folders = [
          '',
          ...[...flatten(each)].flatMap(([path, file]) => (file === undefined ? [path] : [])),
        ];
        return objects.layer(
          each,
          folders.filter((path) => isImplied(index, path)),
        );
      });
      const without = layers.map((layer) => ({ ...layer, mayHaveWhiteouts: false }));
      expect(objects.merge(...without)).toBe(objects.merge(...layers));
    }),
    { numRuns: 300, seed: 20261124 },
  );
});

test('directories without a lower one are not read, except on the way to implied directories', () => {
  const objects = new Objects();
  const layer = objects.layer({ d: { e: { a: '1' } }, f: { g: { b: '2' } } }, ['', 'd']);
  const read: string[] = [];
  mergeLayers([{ ...layer, mayHaveWhiteouts: false }], (checksum) => {
    read.push(checksum);
    return objects.read(checksum);
  });
  expect(read).toEqual([layer.dirtree]);
});

/** The specification word for word on a flat list of paths: remove what is hidden, then add what is there. */
function mergeNaively(layers: readonly Tree[]): Tree {
  let paths = new Map<string, string | undefined>();
  for (const layer of layers) {
    const upper = flatten(layer);
    const hidden = [...upper.keys()].flatMap((path) => {
      const parts = path.split('/');
      const name = parts.at(-1) ?? '';
      const folder = parts.slice(0, -1).join('/');
      if (name === '.wh..wh..opq') return [`${folder}/`];
      return name.startsWith('.wh.') ? [[...parts.slice(0, -1), name.slice(4)].join('/')] : [];
    });
    const isHidden = (path: string): boolean =>
      hidden.some((h) =>
        h.endsWith('/') ? h === '/' || path.startsWith(h) : path === h || path.startsWith(`${h}/`),
      );
    paths = new Map([...paths].filter(([path]) => !isHidden(path)));
    for (const [path, content] of upper) {
      if (path.split('/').some((part) => part.startsWith('.wh.'))) continue;
      const wasDirectory = paths.has(path) && paths.get(path) === undefined;
      if (content !== undefined || !wasDirectory) {
        for (const other of [...paths.keys()]) if (other.startsWith(`${path}/`)) paths.delete(other);
      }
      paths.set(path, content);
    }
  }
  return unflatten(paths);
}

function flatten(tree: Tree, prefix = ''): Map<string, string | undefined> {
  const paths = new Map<string, string | undefined>();
  for (const [name, value] of Object.entries(tree)) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    paths.set(path, typeof value === 'string' ? value : undefined);
    if (typeof value !== 'string')
      for (const [below, content] of flatten(value, path)) paths.set(below, content);
  }
  return paths;
}

function unflatten(paths: ReadonlyMap<string, string | undefined>): Tree {
  const root: Tree = {};
  for (const [path, content] of paths) {
    const parts = path.split('/');
    let at: Tree = root;
    for (const part of parts.slice(0, -1)) {
      const next = at[part];
      if (typeof next === 'string') throw new Error(`${path} is below a file`);
      const folder: Tree = next ?? {};
      at[part] = folder;
      at = folder;
    }
    const name = parts.at(-1) ?? '';
    at[name] = content ?? (typeof at[name] === 'object' ? at[name] : {});
  }
  return root;
}

const names = fc.constantFrom('a', 'b', 'c', '.wh.a', '.wh.b', '.wh.c', '.wh..wh..opq');
const { tree } = fc.letrec<{ tree: Tree; node: string | Tree }>((tie) => ({
  node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constantFrom('1', '2'), tie('tree')),
  tree: fc.dictionary(names, tie('node'), { maxKeys: 4, noNullPrototype: true }),
}));

test('merging equals the naive model of the specification', () => {
  fc.assert(
    fc.property(fc.array(tree, { minLength: 1, maxLength: 4 }), (layers) => {
      expect(mergeTrees(...layers)).toBe(mergeTrees(mergeNaively(layers)));
    }),
    { numRuns: 500 },
  );
});
