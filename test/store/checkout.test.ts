import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { checkoutImage } from '../../src/store/checkout.ts';
import { formatObjectPath, readCommit, readDirTree } from '../../src/store/object-files.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { tree } from '../support/tree.ts';
import { createStore, pullLayers, TEST_TIMEOUT_MS } from './store-fixture.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

test('a destination that exists is not touched', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f etc/name 0644 etcd`]);
  const destination = store.folder.join('taken');
  mkdirSync(destination);
  writeFileSync(`${destination}/precious`, '1');
  expect(checkoutImage(store.host, image.commit, destination)).rejects.toMatchObject({
    code: 'STORE_FAILED',
  });
  expect(existsSync(`${destination}/etc`)).toBe(false);
});

test('an unknown commit', async () => {
  await using store = await createStore([registry]);
  await pullLayers(store, registry, [tree`f etc/name 0644 etcd`]);
  await expect(checkoutImage(store.host, '0'.repeat(64), store.folder.join('root'))).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: `reading object ${'0'.repeat(64)}.commit: it is missing`,
  });
});

test('another filesystem is an error with a hint, never a copy', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f etc/name 0644 etcd`]);
  const other = store.folder.join('other');
  mkdirSync(other);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', other], { timeout: 10_000 });
  expect(mounted.status).toBe(0);
  try {
    expect(
      await checkoutImage(store.host, image.commit, `${other}/root`).catch((error) => error),
    ).toMatchObject({
      code: 'CROSS_DEVICE',
      hint: 'Containers are hard links into the repository: put both on one filesystem (checkout_path and ostree_repository in /etc/atomic.conf).',
    });
    expect(existsSync(`${other}/root/etc/name`)).toBe(false);
  } finally {
    spawnSync('umount', [other], { timeout: 10_000 });
  }
});

test.each(['dirtree', 'dirmeta'] as const)('a damaged %s is no empty folder', async (kind) => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [
    tree`
      d etc 0700
      f etc/name 0644 1
    `,
  ]);
  const { repository } = store.locations;
  const etc = readDirTree(repository, readCommit(repository, image.commit).dirtree).directories[0];
  truncateSync(formatObjectPath(repository, etc?.[kind] ?? '', kind), 0);
  const destination = store.folder.join('root');
  await expect(checkoutImage(store.host, image.commit, destination)).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: `reading object ${etc?.[kind]}.${kind}: its content has another checksum`,
    hint: 'See what is damaged, and repair it: atomic images verify --repair',
  });
  expect(existsSync(destination)).toBe(false);
});
