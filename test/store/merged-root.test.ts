/** The root filesystem that the layers of an image make together (OCI image specification, image layer). */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { type Registry, startRegistry } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { buildTar, type TarEntry } from '../support/tar-writer.ts';
import { tree } from '../support/tree.ts';
import { describeTree } from './describe-tree.ts';
import { checkRepository } from './ostree-cli.ts';
import { checkOut, createStore, pullLayers, TEST_TIMEOUT_MS } from './store-fixture.ts';

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

const LONG = `${'directory-of-fifty-one-characters-0123456789-abcdef/'.repeat(3)}file`;
const NAME_255 = 'n'.repeat(255);
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

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
  [
    'a hard link has content, owner, mode and xattrs of its target',
    [
      tree`
        d bin 0755
        f bin/tool 04755 @1:2 tool
        x bin/tool user.kind=tool
        h bin/again => bin/tool
        h bin/third => /bin/tool
        h bin/fourth => ./bin/tool
      `,
    ],
    [
      'd . 0755 0:0',
      'd bin 0755 0:0',
      ...['again', 'fourth', 'third', 'tool'].map(
        (name) => `f bin/${name} 4755 1:2 "tool" user.kind=0x746f6f6c`,
      ),
    ],
  ],
  [
    'modes beyond rwx and large owners',
    [
      tree`
        f setuid 04755 1
        f setgid 02755 @0:42 2
        f none 0000 3
        f all 07777 4
        f nobody 0644 @65534:65534 5
        f mapped 0644 @2000000000:4294967294 6
        d sticky 01777
      `,
    ],
    [
      'd . 0755 0:0',
      'd sticky 1777 0:0',
      'f all 7777 0:0 "4"',
      'f mapped 0644 2000000000:4294967294 "6"',
      'f nobody 0644 65534:65534 "5"',
      'f none 0000 0:0 "3"',
      'f setgid 2755 0:42 "2"',
      'f setuid 4755 0:0 "1"',
    ],
  ],
  [
    'capabilities and other extended attributes',
    [
      tree`
        f ping 0755 ping
        x ping security.capability=${CAPABILITY}
        f trusted 0644 1
        x trusted trusted.note=yes
        d dir 0755
        x dir user.one=1
      `,
    ],
    [
      'd . 0755 0:0',
      'd dir 0755 0:0 user.one=0x31',
      `f ping 0755 0:0 "ping" security.capability=0x${CAPABILITY.toString('hex')}`,
      'f trusted 0644 0:0 "1" trusted.note=0x796573',
    ],
  ],
  [
    'names: long ones of PAX and GNU, the longest one, UTF-8 in both normal forms, newlines, spaces',
    [
      [
        { path: `pax/${LONG}`, content: '1' },
        { path: `gnu/${LONG}`, content: '2', longNames: 'gnu' },
        { path: 'pax/link', type: 'symlink', mode: 0o777, linkName: LONG },
        { path: 'gnu/link', type: 'symlink', mode: 0o777, linkName: LONG, longNames: 'gnu' },
        { path: NAME_255, content: '3' },
        { path: 'utf8/日本/😀', content: '4' },
        { path: 'utf8/\u00e9', content: 'composed' },
        { path: 'utf8/e\u0301', content: 'decomposed' },
        { path: 'odd/new\nline and space', content: '5' },
        { path: 'odd/.wh', content: 'no whiteout' },
      ],
    ],
    [
      'd . 0755 0:0',
      ...['pax', 'gnu']
        .flatMap((folder) => {
          const parts = LONG.split('/').slice(0, -1);
          return [folder, ...parts.map((_, index) => [folder, ...parts.slice(0, index + 1)].join('/'))];
        })
        .map((path) => `d ${path} 0755 0:0`),
      'd odd 0755 0:0',
      'd utf8 0755 0:0',
      'd utf8/日本 0755 0:0',
      `f gnu/${LONG} 0644 0:0 "2"`,
      `f ${NAME_255} 0644 0:0 "3"`,
      'f odd/.wh 0644 0:0 "no whiteout"',
      'f odd/new\nline and space 0644 0:0 "5"',
      `f pax/${LONG} 0644 0:0 "1"`,
      'f utf8/e\u0301 0644 0:0 "decomposed"',
      'f utf8/\u00e9 0644 0:0 "composed"',
      'f utf8/日本/😀 0644 0:0 "4"',
      `l gnu/link -> ${LONG}`,
      `l pax/link -> ${LONG}`,
    ],
  ],
  [
    'names with a leading slash, "./" and double slashes are below the root',
    [
      [
        { path: './', type: 'directory', mode: 0o711 },
        { path: '/etc/', type: 'directory', mode: 0o700 },
        { path: '/etc/absolute', content: '1' },
        { path: './etc//dotted', content: '2' },
        { path: 'etc/./inner', content: '3' },
      ],
    ],
    [
      'd . 0711 0:0',
      'd etc 0700 0:0',
      'f etc/absolute 0644 0:0 "1"',
      'f etc/dotted 0644 0:0 "2"',
      'f etc/inner 0644 0:0 "3"',
    ],
  ],
  [
    'empty files, and of an entry that is there twice the last one',
    [
      tree`
        f empty 0644
        f twice 0644 first
        f twice 0600 second
        d dir 0700
        d dir 0711
      `,
    ],
    ['d . 0755 0:0', 'd dir 0711 0:0', 'f empty 0644 0:0 ""', 'f twice 0600 0:0 "second"'],
  ],
];

test.each(cases)('%s', async (_, layers, expected) => {
  const pulled = await pullLayers(store, registry, layers);
  expect(describeTree(await checkOut(store, pulled))).toEqual([...expected].sort());
});

// libostree gives every directory above a directory that it makes itself the mode 0755 and the owner 0:0.
test.todo('a directory keeps its metadata when an entry two levels below implies a directory', async () => {
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

test('device nodes and FIFOs are left out, and a warning says so', async () => {
  const pulled = await pullLayers(store, registry, [
    tree`
      c dev/null 0666 1:3
      b dev/sda 0660 8:0
      p run/pipe 0600
      f etc/file 0644 1
    `,
  ]);
  expect(describeTree(await checkOut(store, pulled))).toEqual([
    'd . 0755 0:0',
    'd dev 0755 0:0',
    'd etc 0755 0:0',
    'd run 0755 0:0',
    'f etc/file 0644 0:0 "1"',
  ]);
  expect(store.events.filter(({ kind }) => kind === 'warning')).toEqual([
    {
      kind: 'warning',
      text: `layer ${pulled.fetched[0]}: 3 device nodes or FIFOs were left out; the store cannot keep them`,
    },
  ]);
});

test.each(['complete', 'no-trailer', 'unpadded'] as const)('an archive whose end is %s', async (ending) => {
  const tar = buildTar(tree`f file 0644 ${ending}`, { ending });
  const pulled = await pullLayers(store, registry, [{ tar }, { tar, compression: 'none' }]);
  expect(describeTree(await checkOut(store, pulled))).toEqual([
    'd . 0755 0:0',
    `f file 0644 0:0 "${ending}"`,
  ]);
});

test('a large file of more than one pipe', async () => {
  const content = Buffer.alloc(9_000_001, 'content of a large file ');
  const pulled = await pullLayers(store, registry, [tree`f large 0644 ${content}`]);
  const hash = createHash('sha256').update(content).digest('hex');
  expect(describeTree(await checkOut(store, pulled))).toEqual([
    'd . 0755 0:0',
    `f large 0644 0:0 sha256:${hash}`,
  ]);
});

test('everything that these tests stored is sound', () => {
  checkRepository(store);
});
