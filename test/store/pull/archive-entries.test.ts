/** Entries of archives, and the files that a checkout has of them. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import { checkOut, createStore, pullLayers, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
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

const LONG = `${'directory-of-fifty-one-characters-0123456789-abcdef/'.repeat(3)}file`;
const NAME_255 = 'n'.repeat(255);
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

const cases: [title: string, layers: (readonly TarEntry[])[], expected: string[]][] = [
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
      text: `layer ${pulled.fetched[0]}: left out 3 device nodes or FIFOs; the store cannot keep them`,
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
