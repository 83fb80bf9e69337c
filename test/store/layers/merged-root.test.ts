/** The root filesystem that the layers of an image make together (OCI image specification, image layer). */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import { checkOut, createStore, pullLayers, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import type { TarEntry } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let store: Sandbox;
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

const etc = tree`
  d etc 0755
  f etc/keep 0644 kept
  f etc/gone 0644 gone
  d etc/dir 0750 @1:2
  f etc/dir/a 0644 a
  f etc/dir/b 0644 b
`;

const cases: [title: string, layers: (readonly TarEntry[])[], expected: string[]][] = [
  ['a layer without entries adds nothing', [tree`f a 0644 1`, []], ['d . 0755 0:0', 'f a 0644 0:0 "1"']],
  ['an image of one empty layer is an empty root', [[]], ['d . 0755 0:0']],
  [
    'whiteouts of a file and of a directory',
    [
      etc,
      tree`
        w etc/gone
        w etc/dir
      `,
    ],
    ['d . 0755 0:0', 'd etc 0755 0:0', 'f etc/keep 0644 0:0 "kept"'],
  ],
  [
    'a whiteout hides what is below it only, and a later layer may bring it back',
    [etc, tree`w etc/dir`, tree`f etc/dir/c 0644 c`],
    [
      'd . 0755 0:0',
      'd etc 0755 0:0',
      'd etc/dir 0755 0:0',
      'f etc/dir/c 0644 0:0 "c"',
      'f etc/gone 0644 0:0 "gone"',
      'f etc/keep 0644 0:0 "kept"',
    ],
  ],
  [
    'an opaque directory keeps only what its own layer has, wherever the marker stands',
    [
      etc,
      tree`
        d etc/dir 0700
        f etc/dir/new 0644 n
        o etc/dir
      `,
    ],
    [
      'd . 0755 0:0',
      'd etc 0755 0:0',
      'd etc/dir 0700 0:0',
      'f etc/dir/new 0644 0:0 "n"',
      'f etc/gone 0644 0:0 "gone"',
      'f etc/keep 0644 0:0 "kept"',
    ],
  ],
  [
    'a file, a symlink and a directory replace each other',
    [
      tree`
        f file-dir 0644 1
        f file-link 0644 1
        d dir-file 0755
        f dir-file/below 0644 1
        d dir-link 0755
        f dir-link/below 0644 1
        l link-file -> target
        l link-dir -> target
        d target 0755
      `,
      tree`
        d file-dir 0711
        f file-dir/below 0644 2
        l file-link -> elsewhere
        f dir-file 0600 2
        l dir-link -> elsewhere
        f link-file 0644 2
        d link-dir 0700
        f link-dir/below 0644 2
      `,
    ],
    [
      'd . 0755 0:0',
      'd file-dir 0711 0:0',
      'd link-dir 0700 0:0',
      'd target 0755 0:0',
      'f dir-file 0600 0:0 "2"',
      'f file-dir/below 0644 0:0 "2"',
      'f link-dir/below 0644 0:0 "2"',
      'f link-file 0644 0:0 "2"',
      'l dir-link -> elsewhere',
      'l file-link -> elsewhere',
    ],
  ],
  [
    'a directory that comes back after a file begins empty',
    [etc, tree`f etc/dir 0644 file`, tree`d etc/dir 0711`],
    [
      'd . 0755 0:0',
      'd etc 0755 0:0',
      'd etc/dir 0711 0:0',
      'f etc/gone 0644 0:0 "gone"',
      'f etc/keep 0644 0:0 "kept"',
    ],
  ],
  [
    'owner, mode and xattrs of an upper directory win, also of the root',
    [
      tree`
        d . 0755
        d dir 0755 @1:1
        x dir user.old=1
        f dir/file 0644 1
      `,
      tree`
        d . 0711 @5:6
        d dir 02770 @3:4
        x dir user.new=2
      `,
    ],
    ['d . 0711 5:6', 'd dir 2770 3:4 user.new=0x32', 'f dir/file 0644 0:0 "1"'],
  ],
  [
    'directories that an upper layer only implies keep what the lower one says',
    [
      tree`
        d . 0711 @5:6
        d a 0700 @1:2
        x a user.kept=1
        d a/b 02750 @3:4
      `,
      tree`
        f a/b/c/file 0644 1
        w a/nothing
      `,
    ],
    [
      'd . 0711 5:6',
      'd a 0700 1:2 user.kept=0x31',
      'd a/b 2750 3:4',
      'd a/b/c 0755 0:0',
      'f a/b/c/file 0644 0:0 "1"',
    ],
  ],
];

test.each(cases)('%s', async (_, layers, expected) => {
  const pulled = await pullLayers(store, registry, layers);
  expect(describeTree(await checkOut(store, pulled))).toEqual([...expected].sort());
});

// libostree would give every directory above one that it makes itself the mode 0755 and the owner 0:0.
test('a directory keeps its metadata when an entry two levels below implies a directory', async () => {
  const layer = tree`
    d . 0711
    d root 0700 @1:2
    x root user.kept=1
    f root/implied/file 0644 1
  `;
  const pulled = await pullLayers(store, registry, [layer]);
  expect(describeTree(await checkOut(store, pulled))).toEqual([
    'd . 0711 0:0',
    'd root 0700 1:2 user.kept=0x31',
    'd root/implied 0755 0:0',
    'f root/implied/file 0644 0:0 "1"',
  ]);
});

test('everything that these tests stored is sound', () => {
  checkRepository(store);
});
