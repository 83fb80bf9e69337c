/** The containers that count as users of an unreadable image in a deletion: the same as in its verification. */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { planDeletion, requireUnused } from '../../src/containers/cleanup/delete-images.ts';
import { verifyImages } from '../../src/containers/verify/verify-images.ts';
import { formatImageRef } from '../../src/image/ref-name.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';
import { deploy, findObject } from './verified-store.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const [first, second] = ['1', '2'].map((content) =>
  buildImage({ layers: [tree`f version 0644 ${content}`] }),
) as [ReturnType<typeof buildImage>, ReturnType<typeof buildImage>];

let registry: Registry;
let store: Sandbox;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());
beforeEach(async () => {
  store = await createStore([registry]);
});

async function expectProtected(reference: string): Promise<void> {
  const { images } = await verifyImages(store.host, [reference]);
  expect(images[0]?.deployments.map(({ container }) => container)).toEqual(['web']);
  const deletion = await planDeletion(store.host, { kind: 'written', words: [reference] });
  expect(deletion.used).toEqual([{ reference, containers: ['web'] }]);
  await expect(requireUnused(store.host, deletion)).rejects.toMatchObject({ code: 'IMAGE_IN_USE' });
}

test('a damaged ref', async () => {
  await using _store = store;
  const { image } = await pullImage(store.host, await pushImage(registry, 'users/image', first), {});
  await deploy(store, image, 'web');
  const ref = formatImageRef(image.reference);
  writeFileSync(`${store.locations.repository}/refs/heads/${ref}`, 'x\n');
  await expectProtected(image.reference);
});

test('a name whose newer commit is lost', async () => {
  await using _store = store;
  const { image } = await pullImage(store.host, await pushImage(registry, 'users/moved', first), {});
  await deploy(store, image, 'web');
  await pushImage(registry, 'users/moved', second);
  const newer = (await pullImage(store.host, image.reference, {})).image;
  // As long as it can be read, it is another image, which no container has.
  expect(await planDeletion(store.host, { kind: 'all' })).toMatchObject({ used: [] });
  rmSync(findObject(store, newer.commit, '', 'commit'));
  await expectProtected(image.reference);
});
