/** A pull that is killed leaves no image, no reader is confused, and the next pull completes it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { listBlobs, listImages } from '../../src/store/list-images.ts';
import { pullImage } from '../../src/store/pull.ts';
import { startFaultyRegistry } from '../support/faulty-registry.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { tree } from '../support/tree.ts';
import { describeTree } from './describe-tree.ts';
import { listLeftovers } from './failed-pull.ts';
import { checkRepository } from './ostree-cli.ts';
import { pullInProcess } from './pull-in-process.ts';
import { checkOut, createStore, TEST_TIMEOUT_MS } from './store-fixture.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

test('in the middle of the second layer', async () => {
  await using faulty = await startFaultyRegistry(registry);
  await using store = await createStore([faulty]);
  const image = buildImage({ layers: [tree`f first 0644 1`, tree`f second 0644 2`] });
  await pushImage(registry, 'killed/image', image);
  const name = `${faulty.address}/killed/image:latest`;

  const held = Promise.withResolvers<void>();
  const until = Promise.withResolvers<void>();
  const killer = new AbortController();
  faulty.setRules([
    {
      path: `/blobs/${image.layers[1]?.digest}`,
      fault: { kind: 'hold', afterBytes: 20, until: until.promise, reached: held.resolve },
    },
  ]);
  const pulling = pullInProcess(store, name, { killSignal: killer.signal }).catch((error: Error) => error);
  await held.promise;
  killer.abort();
  expect(await pulling).toBeInstanceOf(Error);
  until.resolve();
  faulty.setRules([]);

  expect(await listImages(store.host)).toEqual([]);
  expect(await listBlobs(store.host)).toEqual([]);
  expect(listLeftovers(store)).toEqual([]);
  checkRepository(store);
  const pulled = await pullImage(store.host, name, {});
  expect(describeTree(await checkOut(store, pulled))).toEqual([
    'd . 0755 0:0',
    'f first 0644 0:0 "1"',
    'f second 0644 0:0 "2"',
  ]);
  checkRepository(store);
});
