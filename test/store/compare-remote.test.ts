/** Stored images are compared with their registries. No object is read, and no layer is fetched. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import type { RemoteStatus } from '../../src/image/verified-image.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { compareWithRegistries } from '../../src/store/verify/compare-remote.ts';
import { type BuiltImage, buildImage, buildIndex } from '../support/oci-image.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const old = buildImage({ layers: [tree`f version 0644 1`] });
const next = buildImage({ layers: [tree`f version 0644 2`] });
const foreign = buildImage({
  layers: [tree`f version 0644 2`],
  platform: { os: 'linux', architecture: 's390x' },
});
const newer = (image: BuiltImage): RemoteStatus => ({ kind: 'newer', digest: image.manifest.digest });

const cases: [name: string, change: () => Promise<unknown>, expected: RemoteStatus][] = [
  ['same', async () => {}, { kind: 'up-to-date' }],
  ['moved', () => pushImage(registry, 'remote/moved', next), newer(next)],
  // The digest that counts is that of this machine's platform, not that of the list.
  ['list', () => pushImage(registry, 'remote/list', buildIndex([foreign, next])), newer(next)],
  [
    'in-list',
    () => pushImage(registry, 'remote/in-list', buildIndex([foreign, old])),
    { kind: 'up-to-date' },
  ],
  [
    'gone',
    () =>
      fetch(`http://${registry.address}/v2/remote/gone/manifests/${old.manifest.digest}`, {
        method: 'DELETE',
      }),
    { kind: 'gone' },
  ],
];

test('each name is compared with its current image in the registry', async () => {
  await using store = await createStore([registry]);
  const expected = [];
  for (const [name, change, status] of cases) {
    const reference = await pushImage(registry, `remote/${name}`, old);
    await pullImage(store.host, reference, {});
    await change();
    expected.push({ reference, id: old.manifest.digest.slice('sha256:'.length), status });
  }
  await registry.forgetRequests();
  const compared = await compareWithRegistries(store.host, [], {});
  expect(compared).toEqual(expected.sort((a, b) => (a.reference < b.reference ? -1 : 1)));
  expect(await registry.blobGets()).toEqual([]);
  const [, , inList] = expected;
  expect(await compareWithRegistries(store.host, [inList?.reference ?? ''], {})).toEqual(
    inList === undefined ? [] : [inList],
  );
});

test('an image from elsewhere, and registries that do not answer', async () => {
  const down = await startRegistry();
  await using store = await createStore([registry, down]);
  await pullImage(store.host, await writeLayout(store.folder.join('local'), old), {}, 'local:latest');
  await pullImage(store.host, await pushImage(down, 'remote/down', old), {});
  await down.stop();
  const compared = await compareWithRegistries(store.host, [], {});
  expect(compared.map(({ status }) => status)).toEqual([
    { kind: 'unknown', reason: expect.stringContaining('connection refused') },
    { kind: 'not-from-registry' },
  ]);
});
