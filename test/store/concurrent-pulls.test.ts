/** Processes that pull into one repository at the same time. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import type { ListedImage } from '../../src/core/image.ts';
import { listImages } from '../../src/store/list-images.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { tree } from '../support/tree.ts';
import { listLeftovers } from './failed-pull.ts';
import { checkRepository, listRefs } from './ostree-cli.ts';
import { type PullOutcome, pullInProcess } from './pull-in-process.ts';
import { createStore, TEST_TIMEOUT_MS } from './store-fixture.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const shared = [
  tree`f shared/large 0644 ${Buffer.alloc(2_000_000, 'shared')}`,
  tree`f shared/small 0644 shared`,
];

test('of the same image', async () => {
  await using store = await createStore([registry]);
  const name = await pushImage(registry, 'twice/same', buildImage({ layers: shared }));
  const outcomes = await Promise.all([pullInProcess(store, name), pullInProcess(store, name)]);
  const images = await listImages(store.host);
  expect(images.map(({ reference }) => reference)).toEqual([name]);
  expect(outcomes).toContainEqual(pulled(images[0]));
  expect(listRefs(store)).toHaveLength(1 + 1 + shared.length);
  checkRepository(store);
  expect(listLeftovers(store)).toEqual([]);
});

test('of images that share layers, into a repository that is there already', async () => {
  await using store = await createStore([registry]);
  await pullInProcess(
    store,
    await pushImage(registry, 'shared/first', buildImage({ layers: [tree`f a 0644 1`] })),
  );
  const images = ['b', 'c'].map((own) => buildImage({ layers: [...shared, tree`f own 0644 ${own}`] }));
  const names = await Promise.all(
    images.map((image, index) => pushImage(registry, `shared/${index}`, image)),
  );
  const outcomes = await Promise.all(names.map((name) => pullInProcess(store, name)));
  const stored = (await listImages(store.host)).filter(({ reference }) => names.includes(reference));
  expect(stored.map(pulled)).toEqual(outcomes);
  checkRepository(store);
  expect(listLeftovers(store)).toEqual([]);
});

function pulled(image: ListedImage | undefined): PullOutcome {
  return { kind: 'pulled', commit: image?.commit ?? 'not stored' };
}
