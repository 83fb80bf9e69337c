/** Several folders of containers on one repository: a prune in one folder keeps the objects that the others need. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { planDeletion } from '../../src/containers/cleanup/delete-images.ts';
import { pruneStore } from '../../src/containers/cleanup/prune-store.ts';
import type { Host } from '../../src/host/host.ts';
import type { StoredImage } from '../../src/image/image.ts';
import { removeImageNames } from '../../src/ostree/write-refs.ts';
import { listCheckouts, registerCheckouts } from '../../src/store/checkout/checkout-folders.ts';
import { plainRecord as record } from '../support/plain-record.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { checkRepository } from '../support/store/ostree-cli.ts';
import { createStore, pullLayers, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';
import { writeDeployment } from './fake-deployment.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

/** The same machine with another CHECKOUTS on the same repository. */
function move(store: Sandbox, name: string): Host {
  const checkouts = store.folder.join(name);
  mkdirSync(checkouts, { recursive: true });
  return { ...store.host, locations: { ...store.locations, checkouts, state: `${checkouts}/.atomic` } };
}

async function writeContainer(store: Sandbox, host: Host, name: string, image: StoredImage): Promise<void> {
  await writeDeployment({ ...store, locations: host.locations }, name, {
    record: { ...record, revision: image.id, ostreeCommit: image.commit },
  });
  await registerCheckouts(host);
}

test('images of containers in another folder stay until the containers are removed', async () => {
  await using store = await createStore([registry]);
  const other = move(store, 'other');
  const { image } = await pullLayers(store, registry, [tree`f web 0644 1`]);
  await writeContainer(store, other, 'web', image);
  await registerCheckouts(other);
  expect(listCheckouts(store.locations.repository)).toEqual([other.locations.checkouts]);
  expect((await planDeletion(store.host, { kind: 'all' })).used).toEqual([
    { reference: image.reference, containers: ['web'] },
  ]);
  await removeImageNames(store.host, [image.reference]);
  expect(await pruneStore(store.host)).toMatchObject({ refs: [], objects: 0 });
  checkRepository(store);

  writeFileSync(`${other.locations.checkouts}/web.0/info`, '');
  await expect(pruneStore(store.host)).rejects.toMatchObject({
    code: 'CONTAINER_DAMAGED',
    message: expect.stringContaining(`${other.locations.checkouts}/web.0/info`),
  });
  for (const name of ['web', 'web.0']) rmSync(`${other.locations.checkouts}/${name}`, { recursive: true });
  expect((await pruneStore(store.host)).objects).toBeGreaterThan(0);
  // Nobody needs to know of it any more.
  expect(listCheckouts(store.locations.repository)).toEqual([]);
});

test('nothing is freed while a folder is missing; repository and folder may move together', async () => {
  await using store = await createStore([registry]);
  const other = move(store, 'var/other');
  const list = `${store.locations.repository}/atomic-checkouts`;
  const { image } = await pullLayers(store, registry, [tree`f web 0644 2`]);
  await writeContainer(store, store.host, 'own', image);
  await writeContainer(store, other, 'web', image);
  expect(readFileSync(list, 'utf8')).toBe('"../.."\n"../../../../../other"\n');
  await removeImageNames(store.host, [image.reference]);
  renameSync(other.locations.checkouts, store.folder.join('unmounted'));
  expect(await pruneStore(store.host).catch((error) => error)).toMatchObject({
    code: 'STORE_FAILED',
    message: `pruning the image store: the containers in ${other.locations.checkouts} use it too, and that folder does not exist`,
    hint: `Nothing was freed, because the images of its containers are unknown: mount the folder, or remove its line from ${list} when the folder is gone for good.`,
  });
  renameSync(store.folder.join('unmounted'), other.locations.checkouts);
  renameSync(store.folder.join('var'), store.folder.join('moved'));
  const moved = (path: string): string => path.replace(store.folder.join('var'), store.folder.join('moved'));
  expect(listCheckouts(moved(store.locations.repository))).toEqual(
    [moved(store.locations.checkouts), moved(other.locations.checkouts)].sort(),
  );
});

test('lines that are not paths are ignored, and a prune writes the correct list', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f web 0644 3`]);
  const list = `${store.locations.repository}/atomic-checkouts`;
  writeFileSync(list, 'garbage\n[1]\n\n"../..');
  await writeDeployment(store, 'web', {
    record: { ...record, revision: image.id, ostreeCommit: image.commit },
  });
  await registerCheckouts(store.host);
  expect(listCheckouts(store.locations.repository)).toEqual([store.locations.checkouts]);
  await pruneStore(store.host);
  expect(readFileSync(list, 'utf8')).toBe('"../.."\n');
});
