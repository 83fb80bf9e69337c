/** The same images, unpacked by podman and by us, are the same trees. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import fc from 'fast-check';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import { randomLayers } from '../../support/store/random-layers.ts';
import { checkOut, createStore, pushNew, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import type { TarEntry } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';
import { extractWithPodman } from './podman-roots.ts';

setDefaultTimeout(3 * TEST_TIMEOUT_MS);

const IMAGES = 12;
/** Fixed, so that a failure can be repeated; try others when the merge changes. */
const SEED = Number(process.env.TEST_SEED ?? 20160912);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const sparse = {
  'GNU.sparse.size': '3000000',
  'GNU.sparse.numblocks': '2',
  'GNU.sparse.map': '7,3,2000000,4',
};
const sparseMap = Buffer.alloc(512);
sparseMap.write('1\n1500000\n5\n');

const odd: [title: string, layers: (readonly TarEntry[])[]][] = [
  [
    'entries below symlinks of the same layer',
    [
      tree`
        d usr/lib 0755
        d opt 0755
        l lib -> usr/lib
        l etc -> /opt
        l up -> ../../../opt
        f lib/x 0644 1
        d lib/sub 0700
        l lib/so -> x
        f lib/sub/y 0600 2
        h lib/again => lib/x
      `,
    ],
  ],
  [
    'below a chain of them, and below a hard link to one',
    [
      tree`
        d a/b 0755
        l one -> two
        l two -> a/./b
        f one/x 0644 1
        h three => one
        f three/z 0644 3
        h a/b/again => three/x
      `,
    ],
  ],
  [
    'a symlink of a lower layer is no folder for an upper one',
    [
      tree`
        d usr/lib 0755
        f usr/lib/x 0644 lower
        l lib -> usr/lib
      `,
      tree`f lib/y 0644 upper`,
      tree`
        d lib/z 0755
        f lib/z/f 0644 upper
      `,
    ],
  ],
  [
    'an upper layer that has the symlink of the lower one again',
    [
      tree`
        d usr/lib 0755
        f usr/lib/x 0644 lower
        f usr/lib/gone 0644 lower
        l lib -> usr/lib
      `,
      tree`
        d usr/lib 0750
        l lib -> usr/lib
        f lib/y 0644 upper
        w lib/gone
      `,
    ],
  ],
  [
    'devices and FIFOs hide what is below them',
    [
      tree`
        f dev/null 0644 lower
        d dev/shm 0755
        f dev/shm/f 0644 lower
        f run/pipe 0644 lower
        f run/again 0644 lower
        f run/seen 0644 lower
      `,
      tree`
        c dev/null 0666 1:3
        c dev/shm 0666 1:5
        p run/pipe 0600
        h run/again => run/pipe
      `,
      tree`f run/pipe 0644 upper`,
    ],
  ],
  [
    'sparse files',
    [
      [
        { path: 'GNUSparseFile.0/a', content: 'abcdefg', pax: { ...sparse, 'GNU.sparse.name': 'd/a' } },
        {
          path: 'x',
          content: Buffer.concat([sparseMap, Buffer.from('12345')]),
          pax: {
            ...{ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '1500009' },
            'GNU.sparse.name': 'd/b',
          },
        },
        { path: 'c', content: 'c' },
      ],
    ],
  ],
];

test('images that make use of what unpackers have in common', async () => {
  await using store = await createStore([registry]);
  const names: string[] = [];
  for (const [, layers] of odd) names.push(await pushNew(registry, { layers }));
  const expected = extractWithPodman(store.folder.join('podman'), names, store.host.env);
  for (const [index, name] of names.entries()) {
    const root = await checkOut(store, await pullImage(store.host, name, {}));
    const podman = describeTree(expected[index] ?? '').filter((line) => isBelowRoot(line) && !isDevice(line));
    expect({ title: odd[index]?.[0], tree: describeTree(root).filter(isBelowRoot) }).toEqual({
      title: odd[index]?.[0],
      tree: podman,
    });
  }
  checkRepository(store);
});

test(`${IMAGES} random images (TEST_SEED=${SEED})`, async () => {
  await using store = await createStore([registry]);
  const images = fc.sample(randomLayers, { numRuns: IMAGES, seed: SEED });
  const names: string[] = [];
  for (const layers of images) names.push(await pushNew(registry, { layers }));
  const expected = extractWithPodman(store.folder.join('podman'), names, store.host.env);
  for (const [index, name] of names.entries()) {
    const root = await checkOut(store, await pullImage(store.host, name, {}));
    const layers = images[index];
    const podman = describeTree(expected[index] ?? '').filter(isBelowRoot);
    expect({ layers, tree: describeTree(root).filter(isBelowRoot) }).toEqual({ layers, tree: podman });
  }
  checkRepository(store);
});

function isDevice(line: string): boolean {
  return !['d', 'f', 'l'].includes(line.charAt(0));
}

/** podman gives the root itself a mode of its own. */
function isBelowRoot(line: string): boolean {
  return !line.startsWith('d . ');
}
