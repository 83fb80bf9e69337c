/**
 * A filesystem that is read-only, as after an error of the disk: commands that only read work, commands that write
 * refuse.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { diffRoots } from '../../src/containers/diff.ts';
import { mountSubject } from '../../src/containers/mount.ts';
import { verifyImages } from '../../src/containers/verify/verify-images.ts';
import { removeEndedMounts } from '../../src/store/mount/mount-folder.ts';
import { unmountRoot } from '../../src/store/mount/unmount.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { tagImage } from '../../src/store/tag-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { failedPull } from '../support/store/failed-pull.ts';
import { mountSmallDisk, run } from '../support/store/small-disk.ts';
import { createStore, pullLayers, pushNew, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

test('a pull and a tag refuse, and work again when it is writable', async () => {
  await using store = await createStore([registry]);
  await using disk = mountSmallDisk(store);
  const { image } = await pullLayers(store, registry, [tree`f etc/stored 0644 before`]);
  const name = await pushNew(registry, { layers: [tree`f other 0644 1`] });
  run('mount', '-o', 'remount,ro', disk.path);
  await registry.forgetRequests();
  expect((await failedPull(store, name)).code).toBe('READ_ONLY');
  expect(await registry.blobGets()).toEqual([]);
  const tag = tagImage(store.host, image.reference, 'other:latest');
  expect(await tag.catch((error: unknown) => error)).toMatchObject({ code: 'READ_ONLY' });
  run('mount', '-o', 'remount,rw', disk.path);
  expect((await pullImage(store.host, name, {})).image.reference).toBe(name);
});

test.each(['is there', 'is missing'])('verify and diff, where the lock file %s', async (lock) => {
  await using store = await createStore([registry]);
  await using disk = mountSmallDisk(store);
  const a = (await pullLayers(store, registry, [tree`f file 0644 1`])).image;
  const b = (await pullLayers(store, registry, [tree`f file 0644 2`])).image;
  const file = `${store.locations.repository}/atomic.lock`;
  if (lock === 'is missing') rmSync(file);
  run('mount', '-o', 'remount,ro', disk.path);
  const { changes } = await diffRoots(store.host, a.reference, b.reference);
  expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['changed /file']);
  const { images } = await verifyImages(store.host, []);
  expect(images.map(({ reference, problems }) => [reference, problems])).toEqual([
    [a.reference, []],
    [b.reference, []],
  ]);
  expect(existsSync(file)).toBe(lock === 'is there');
});

test('a mount ends; its data is removed when the filesystem is writable again', async () => {
  await using store = await createStore([registry]);
  await using disk = mountSmallDisk(store);
  const { image } = await pullLayers(store, registry, [tree`f file 0644 1`]);
  const directory = store.folder.join('point');
  mkdirSync(directory);
  await mountSubject(store.host, { subject: image.reference, directory, options: [] });
  run('mount', '-o', 'remount,ro', disk.path);
  const { outcome, left = '' } = await unmountRoot(store.host, directory);
  expect([outcome, readdirSync(directory), existsSync(`${left}/info`)]).toEqual(['unmounted', [], true]);
  expect(await unmountRoot(store.host, directory).catch((error) => error)).toMatchObject({
    code: 'READ_ONLY',
  });
  run('mount', '-o', 'remount,rw', disk.path);
  expect(await removeEndedMounts(store.host)).toEqual([left]);
  expect(existsSync(left)).toBe(false);
});

test('unmount reports that nothing is mounted when there was never a mount', async () => {
  await using store = await createStore([registry]);
  await using disk = mountSmallDisk(store);
  run('mount', '-o', 'remount,ro', disk.path);
  const directory = store.folder.join('point');
  mkdirSync(directory);
  expect(await unmountRoot(store.host, directory).catch((error) => error)).toMatchObject({
    code: 'NOT_MOUNTED',
    message: `unmounting ${directory}: nothing is mounted there`,
  });
  expect(readdirSync(disk.path)).toEqual(['lost+found']);
});
