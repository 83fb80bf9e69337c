/** An image of one platform, where another one is asked for or needed. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const own = buildImage({ layers: [tree`f etc/name 0644 own`] });
const s390x = { os: 'linux', architecture: 's390x' };
const foreign = buildImage({ layers: [tree`f etc/name 0644 foreign`], platform: s390x });
const REFUSED_HINT = 'Leave --platform out to take this image, or choose one that is made for that platform.';

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

test('an image for another platform than was asked for is refused before its layers, also when it is there', async () => {
  await using store = await createStore([registry]);
  const name = await pushImage(registry, 'platform/own', own);
  const refused = {
    code: 'MANIFEST_UNSUPPORTED' as const,
    message: `the image is for linux/${own.platform.architecture}, not for linux/s390x; nothing was stored`,
    hint: REFUSED_HINT,
  };
  expect(await failedPull(store, name, { platform: s390x })).toEqual(refused);
  const blobs = (await registry.requests()).filter(({ path }) => path.includes(own.layers[0]?.digest ?? '-'));
  expect(blobs.filter(({ method }) => method === 'GET')).toEqual([]);
  await pullImage(store.host, name, {});
  expect(await failedPull(store, name, { platform: s390x })).toEqual(refused);
  const windows = { os: 'windows', architecture: own.platform.architecture };
  expect((await failedPull(store, name, { platform: windows })).code).toBe('MANIFEST_UNSUPPORTED');
});

test('an image for another machine is stored with a warning, and without one when it was asked for', async () => {
  await using store = await createStore([registry]);
  const name = await pushImage(registry, 'platform/foreign', foreign);
  await pullImage(store.host, name, { platform: s390x });
  expect(store.events.filter(({ kind }) => kind === 'warning')).toEqual([]);
  await pullImage(store.host, name, {}, 'again');
  expect(store.events.filter(({ kind }) => kind === 'warning')).toEqual([
    {
      kind: 'warning',
      text: `The image is for linux/s390x; this machine is linux/${own.platform.architecture}.`,
    },
  ]);
});
