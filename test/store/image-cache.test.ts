import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { toChecksum } from '../../src/image/checksum.ts';
import { formatObjectPath } from '../../src/ostree/object-files.ts';
import { readImage } from '../../src/store/find-image.ts';
import { listImages } from '../../src/store/list-images.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { readCacheContent, writeCacheContent } from '../support/store/cache-content.ts';
import { checkRepository, ostree } from '../support/store/ostree-cli.ts';
import { createStore, pullLayers, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

/** After so long what changed counts as quiet. */
const SETTLED_MS = 2_100;

type Change = (store: Sandbox, image: { readonly ref: string; readonly commit: string }) => unknown;

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

test('a list takes the facts of the previous list from the cache', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
  const first = await listImages(store.host);
  rewriteCache(store, (entries) => entries.replace(`,${image.virtualSize}]`, ',4711]'));
  expect(await listImages(store.host)).toEqual(first.map((each) => ({ ...each, virtualSize: 4711 })));
  checkRepository(store);
});

test('the cache of another name of the image is another', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
  await listImages(store.host);
  ostree(store, 'refs', '--create=ociimage/other_3A1', image.commit);
  expect((await listImages(store.host)).map(({ reference, id }) => [reference, id])).toEqual([
    [image.reference, image.id],
    ['other:1', image.id],
  ]);
});

test('a name that has moved to another image is read again', async () => {
  await using store = await createStore([registry]);
  const name = await pushImage(registry, 'cache/moved', buildImage({ layers: [tree`f one 0644 1`] }));
  await pullImage(store.host, name, {});
  await listImages(store.host);
  await pushImage(registry, 'cache/moved', buildImage({ layers: [tree`f two 0644 2`] }));
  const { image } = await pullImage(store.host, name, {});
  expect(await listImages(store.host)).toMatchObject([
    { reference: name, id: image.id, commit: image.commit },
  ]);
});

test('a ref that was overwritten is read again, also when its time and size are the same', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
  const other = await pullLayers(store, registry, [tree`f two 0644 2`]);
  await listImages(store.host);
  const path = `${store.locations.repository}/refs/heads/${ostreeRefOf(store, image.commit)}`;
  const write = (commit: string): void => {
    const { atime, mtime } = statSync(path);
    writeFileSync(path, `${commit}\n`);
    utimesSync(path, atime, mtime);
  };
  write(other.image.commit);
  expect((await listImages(store.host)).map(({ id }) => id)).toEqual([other.image.id, other.image.id]);
  write('x'.repeat(64));
  expect((await listImages(store.host)).map(({ id }) => id)).toEqual([other.image.id]);
  write(image.commit);
  expect((await listImages(store.host)).map(({ id }) => id)).toContain(image.id);
});

test('a deleted image is in no list, and leaves the cache with the next change', async () => {
  await using store = await createStore([registry]);
  const gone = await pullLayers(store, registry, [tree`f one 0644 1`]);
  const kept = await pullLayers(store, registry, [tree`f two 0644 2`]);
  await listImages(store.host);
  ostree(store, 'refs', '--delete', ostreeRefOf(store, gone.image.commit));
  expect(await listImages(store.host)).toMatchObject([{ id: kept.image.id }]);
  await pullLayers(store, registry, [tree`f three 0644 3`]);
  expect(await listImages(store.host)).toHaveLength(2);
  expect(readCache(store)).not.toContain(gone.image.commit);
  expect(readCache(store)).toContain(kept.image.commit);
});

test.each([
  ['soon', 0],
  ['when all is quiet', SETTLED_MS],
])(
  'a commit that was damaged since is noticed %s, also when its time and size are the same',
  async (_, pause) => {
    await using store = await createStore([registry]);
    const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
    await Bun.sleep(pause);
    await listImages(store.host);
    expect(readCachedList(store).stamp === '').toBe(pause === 0);
    const path = formatObjectPath(store.locations.repository, image.commit, 'commit');
    const { size, atime, mtime } = statSync(path);
    writeFileSync(path, Buffer.alloc(size));
    utimesSync(path, atime, mtime);
    expect(await listImages(store.host)).toEqual([]);
    rmSync(path);
    expect(await listImages(store.host)).toEqual([]);
    const warnings = store.events.filter(({ kind }) => kind === 'warning');
    expect(warnings).toHaveLength(2);
  },
);

test('a missing commit is noticed each time, also without other changes', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
  await listImages(store.host);
  rmSync(formatObjectPath(store.locations.repository, image.commit, 'commit'));
  expect(await listImages(store.host)).toEqual([]);
  await Bun.sleep(SETTLED_MS);
  expect(await listImages(store.host)).toEqual([]);
  expect(await listImages(store.host)).toEqual([]);
  expect(store.events.filter(({ kind }) => kind === 'warning')).toHaveLength(3);
});

test('a list soon after a change is not cached', async () => {
  await using store = await createStore([registry]);
  await pullLayers(store, registry, [tree`f one 0644 1`]);
  await listImages(store.host);
  expect(readCachedList(store).stamp).toBe('');
});

test.each<[string, Change]>([
  ['an image more', (store, { commit }) => ostree(store, 'refs', '--create=ociimage/other_3A1', commit)],
  ['an image less', (store, { ref }) => ostree(store, 'refs', '--delete', ref)],
  [
    'a name for another image',
    async (store, { ref }) => {
      const { image } = await pullLayers(store, registry, [tree`f two 0644 2`]);
      ostree(store, 'refs', '--delete', ref);
      ostree(store, 'refs', `--create=${ref}`, image.commit);
    },
  ],
  [
    'a commit less',
    (store, { commit }) => rmSync(formatObjectPath(store.locations.repository, toChecksum(commit), 'commit')),
  ],
])('what was quiet for a while is shown as it was, until there is %s', async (_, change) => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
  const ref = ostreeRefOf(store, image.commit);
  await Bun.sleep(SETTLED_MS);
  const before = await listImages(store.host);
  expect(readCachedList(store).stamp).not.toBe('');
  rewriteCache(store, (entries) => entries.replace(image.reference, 'kept:1'));
  expect(await listImages(store.host)).toMatchObject([{ reference: 'kept:1' }]);
  await change(store, { ref, commit: image.commit });
  const after = await listImages(store.host);
  expect(after.map(({ reference }) => reference)).not.toContain('kept:1');
  expect(after).not.toEqual(before);
  rmSync(cachePath(store));
  expect(await listImages(store.host)).toEqual(after);
});

test.each([
  ['empty', () => ''],
  ['cut short', (text: string) => text.slice(0, -10)],
  ['without its beginning', (text: string) => text.slice(10)],
  ['of zeros', (text: string) => '\0'.repeat(text.length)],
  ['with another entry', (text: string) => text.replace('test/', 'evil/')],
])('a cache that is %s counts as none, and is written anew', async (_, damage) => {
  await using store = await createStore([registry]);
  await pullLayers(store, registry, [tree`f one 0644 1`]);
  const images = await listImages(store.host);
  const list = readCachedList(store);
  writeFileSync(cachePath(store), damage(readCache(store)));
  expect(await listImages(store.host)).toEqual(images);
  expect(readCachedList(store).images).toEqual(list.images);
  expect(store.events.filter(({ kind }) => kind === 'warning')).toEqual([]);
});

test.each([
  ['no list', 4711],
  ['a list without a stamp', { images: [] }],
  ['a list without images', { stamp: '' }],
  ['a list of something else', { stamp: '', images: [null] }],
  ['an entry that is too short', { stamp: '', images: [['reference', 'commit']] }],
])('a cache with %s counts as none', async (_, content) => {
  await using store = await createStore([registry]);
  await pullLayers(store, registry, [tree`f one 0644 1`]);
  const images = await listImages(store.host);
  rewriteCache(store, () => JSON.stringify(content));
  expect(await listImages(store.host)).toEqual(images);
});

test('an id is compared with the commit, not with the cache', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
  await listImages(store.host);
  rewriteCache(store, (entries) => entries.replace(image.id, 'dead'.repeat(16)));
  expect(readImage(store.host, 'deaddead')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
});

test('a symlink or FIFO in place of the cache is not followed and does not block', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
  const victim = store.folder.join('victim');
  writeFileSync(victim, 'mine');
  symlinkSync(victim, cachePath(store));
  expect(await listImages(store.host)).toMatchObject([{ id: image.id }]);
  expect(readFileSync(victim, 'utf8')).toBe('mine');
  rmSync(cachePath(store));
  execFileSync('mkfifo', [cachePath(store)]);
  expect(await listImages(store.host)).toMatchObject([{ id: image.id }]);
});

test('no cache is written into the store of another user', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
  chownSync(store.locations.repository, 1000, 1000);
  expect(await listImages(store.host)).toMatchObject([{ id: image.id }]);
  expect(existsSync(cachePath(store))).toBeFalse();
});

test('without a writable cache a list is complete, and creates no folder', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f one 0644 1`]);
  const folder = dirname(cachePath(store));
  rmSync(folder, { recursive: true });
  expect(await listImages(store.host)).toMatchObject([{ id: image.id }]);
  expect(existsSync(folder)).toBeFalse();
  writeFileSync(folder, 'no folder');
  expect(await listImages(store.host)).toMatchObject([{ id: image.id }]);
  expect(readFileSync(folder, 'utf8')).toBe('no folder');
});

function cachePath({ locations }: Sandbox): string {
  return `${locations.repository}/tmp/cache/atomic-images-4`;
}

function readCache(store: Sandbox): string {
  return readFileSync(cachePath(store), 'utf8');
}

function readCachedList(store: Sandbox): { readonly stamp: string; readonly images: unknown } {
  return JSON.parse(readCacheContent(cachePath(store)));
}

function rewriteCache(store: Sandbox, change: (content: string) => string): void {
  writeCacheContent(cachePath(store), change(readCacheContent(cachePath(store))));
}

function ostreeRefOf(store: Sandbox, commit: string): string {
  const refs = ostree(store, 'refs', '--list').trim().split('\n');
  const image = refs.find((ref) => /_3A/.test(ref) && ostree(store, 'rev-parse', ref).trim() === commit);
  if (image === undefined) throw new Error(`no ref names ${commit}`);
  return image;
}
