/**
 * An image whose name no longer refers to it is found again or reported missing; another image never takes its place.
 */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { repairImages } from '../../src/containers/verify/repair-images.ts';
import { verifyImages } from '../../src/containers/verify/verify-images.ts';
import { formatImageRef } from '../../src/image/ref-name.ts';
import { isSound } from '../../src/image/verified-image.ts';
import { formatObjectPath } from '../../src/ostree/object-files.ts';
import { readImage } from '../../src/store/find-image.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const [first, second, third] = ['first', 'second', 'third'].map((content) =>
  buildImage({ layers: [tree`f version 0644 ${content}`] }),
);

let registry: Registry;
let store: Sandbox;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());
beforeEach(async () => {
  store = await createStore([registry]);
});

const push = (image: typeof first) => {
  if (image === undefined) throw new Error('no such image');
  return pushImage(registry, 'forgotten/image', image, 'tag');
};
const refFile = (reference: string) =>
  `${store.locations.repository}/refs/heads/${formatImageRef(reference)}`;

test('a damaged ref names its old commit again, although the tag has moved', async () => {
  const reference = await push(first);
  await pullImage(store.host, reference, {});
  // Within the second in which a commit was made a newer one is no newer.
  await Bun.sleep(1000);
  await push(second);
  const { image } = await pullImage(store.host, reference, {});
  await push(third);
  const ref = readFileSync(refFile(reference), 'utf8');
  writeFileSync(refFile(reference), 'x\n');
  registry.forgetRequests();
  const [repair] = (await repairImages(store.host, [], {})).repairs;
  expect(repair?.failure).toBeUndefined();
  expect(repair !== undefined && isSound(repair.after)).toBe(true);
  expect(readFileSync(refFile(reference), 'utf8')).toBe(ref);
  expect((await readImage(store.host, reference)).id).toBe(image.id);
  expect(await registry.blobGets()).toEqual([]);
  await store.remove();
});

test('an image whose commit is lost is not replaced by the current image of its name', async () => {
  const reference = await push(first);
  const { image } = await pullImage(store.host, reference, {});
  await push(second);
  rmSync(formatObjectPath(store.locations.repository, image.commit, 'commit'));
  registry.forgetRequests();
  const [repair] = (await repairImages(store.host, [], {})).repairs;
  expect(repair?.failure).toBe(
    `its commit is lost, and its source is not recorded; pull the image again: atomic pull ${reference}`,
  );
  expect(await registry.blobGets()).toEqual([]);
  expect(readFileSync(refFile(reference), 'utf8').trim()).toBe(image.commit);
  // The command in the message repairs the image.
  await pullImage(store.host, reference, {});
  expect((await verifyImages(store.host, [])).images.map(isSound)).toEqual([true]);
  await store.remove();
});

test('no registry is asked for a name of this machine', async () => {
  const reference = await push(first);
  const { image } = await pullImage(store.host, reference, {}, 'agent');
  rmSync(formatObjectPath(store.locations.repository, image.commit, 'commit'));
  const [repair] = (await repairImages(store.host, ['agent'], {})).repairs;
  expect(repair?.failure).toEndWith('pull the image again: atomic pull --as agent:latest SOURCE');
  await store.remove();
});
