/** The requests to a registry, from its access log, and the files that are stored once. */

import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../../src/image/digest.ts';
import { listImages } from '../../../src/store/list-images.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type BuiltImage, buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { checkRepository, inodeOf, listFileObjects, listRefs } from '../../support/store/ostree-cli.ts';
import { checkOut, createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());
beforeEach(() => registry.forgetRequests());

const base = tree`
  d usr/lib 0755
  f usr/lib/libc.so 0755 the C library
  f usr/lib/copy.so 0755 the C library
  f usr/lib/other-mode.so 0644 the C library
`;
const first = buildImage({ layers: [base, tree`f etc/version 0644 1`] });
const second = buildImage({ layers: [base, tree`f etc/version 0644 2`] });
const third = buildImage({ layers: [tree`f opt/libc.so 0755 the C library`] });

test('only missing layers are fetched, and a repeated pull fetches no blob at all', async () => {
  await using store = await createStore([registry]);
  const [one, two] = [
    await pushImage(registry, 'wire/one', first),
    await pushImage(registry, 'wire/two', second),
  ];
  await registry.forgetRequests();

  const pulledFirst = await pullImage(store.host, one, {});
  expect(pulledFirst).toMatchObject({ fetched: layersOf(first), reused: [] });
  expect(await registry.blobGets()).toEqual([first.config.digest, ...layersOf(first)]);
  await registry.forgetRequests();
  expect(store.events.filter(({ kind }) => kind !== 'layer-progress')).toEqual([
    { kind: 'pull-started', image: one },
    { kind: 'step', text: `Opening ${one}` },
    { kind: 'step', text: 'Reading the configuration of the image' },
    { kind: 'pull-planned', layers: first.layers.map(({ digest, size }) => ({ digest, bytes: size })) },
    ...first.layers.flatMap(({ digest, size }) => [
      { kind: 'layer-started' as const, digest, bytes: size },
      { kind: 'layer-finished' as const, digest },
    ]),
    { kind: 'notice', text: `Copying blobs: ${first.layers.length} layers fetched` },
    {
      ...{ kind: 'image-stored', reference: one, id: pulledFirst.image.id, isUpToDate: false },
      ...{ layers: first.layers.length, fetched: first.layers.length, bytes: pulledFirst.bytesFetched },
    },
  ]);

  const [shared = '', changed = ''] = layersOf(second);
  expect(await pullImage(store.host, two, {})).toMatchObject({ fetched: [changed], reused: [shared] });
  expect(await registry.blobGets()).toEqual([second.config.digest, changed]);
  await registry.forgetRequests();

  expect(await pullImage(store.host, one, {})).toEqual({
    image: pulledFirst.image,
    fetched: [],
    bytesFetched: 0,
    reused: layersOf(first),
    isUpToDate: true,
  });
  expect(await registry.blobGets()).toEqual([]);
});

test('a tag that moved to another image is pulled again', async () => {
  await using store = await createStore([registry]);
  const name = await pushImage(registry, 'wire/moving', first);
  const before = await pullImage(store.host, name, {});
  await pushImage(registry, 'wire/moving', second);
  const after = await pullImage(store.host, name, {});
  expect(after.image.id).not.toBe(before.image.id);
  expect([after.image]).toMatchObject(await listImages(store.host));
});

test('an image whose layers are all there under another name is made without a layer over the wire', async () => {
  await using store = await createStore([registry]);
  await pullImage(store.host, await pushImage(registry, 'wire/a', first), {});
  const name = await pushImage(registry, 'wire/b', first);
  await registry.forgetRequests();
  expect(await pullImage(store.host, name, {})).toMatchObject({ fetched: [], reused: layersOf(first) });
  expect(await registry.blobGets()).toEqual([first.config.digest]);
});

test('a layer that occurs twice in an image is fetched once', async () => {
  await using store = await createStore([registry]);
  const twice = buildImage({ layers: [base, tree`w usr/lib/libc.so`, base] });
  const name = await pushImage(registry, 'wire/twice', twice);
  await registry.forgetRequests();
  const pulled = await pullImage(store.host, name, {});
  expect(await registry.blobGets()).toEqual([twice.config.digest, ...layersOf(twice).slice(0, 2)]);
  expect(lstatSync(join(await checkOut(store, pulled), 'usr/lib/libc.so')).isFile()).toBe(true);
});

test('equal files of layers, images and checkouts are one inode', async () => {
  await using store = await createStore([registry]);
  const roots: string[] = [];
  for (const image of [first, second, third]) {
    const name = await pushImage(registry, `once/image-${roots.length}`, image);
    roots.push(await checkOut(store, await pullImage(store.host, name, {})));
  }
  const [one = '', two = '', three = ''] = roots;
  const libraries = [
    join(one, 'usr/lib/libc.so'),
    join(one, 'usr/lib/copy.so'),
    join(two, 'usr/lib/libc.so'),
    join(two, 'usr/lib/copy.so'),
    join(three, 'opt/libc.so'),
  ];
  const inodes = new Set(libraries.map(inodeOf));
  expect(inodes.size).toBe(1);
  expect(inodes.has(inodeOf(join(one, 'usr/lib/other-mode.so')))).toBe(false);
  expect(lstatSync(join(one, 'usr/lib/libc.so')).nlink).toBe(6);
  const configurations = 3;
  const contents = ['libc.so', 'other-mode.so', 'version 1', 'version 2'];
  expect(listFileObjects(store)).toHaveLength(configurations + contents.length);
  expect(listRefs(store)).toHaveLength(
    3 + configurations + new Set([first, second, third].flatMap(layersOf)).size,
  );
  checkRepository(store);
});

function layersOf({ layers }: BuiltImage): Digest[] {
  return layers.map(({ digest }) => digest);
}
