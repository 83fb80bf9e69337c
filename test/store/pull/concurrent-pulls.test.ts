/** Processes that pull into one repository at the same time. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toChecksum } from '../../../src/image/checksum.ts';
import { toDigest } from '../../../src/image/digest.ts';
import type { ListedImage } from '../../../src/image/image.ts';
import { formatObjectPath } from '../../../src/ostree/object-files.ts';
import { findRecordedLayer, forgetLayers, recordLayer } from '../../../src/store/layer-ledger.ts';
import { listImages } from '../../../src/store/list-images.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { startFaultyRegistry } from '../../support/faulty-registry.ts';
import { buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { listLeftovers } from '../../support/store/failed-pull.ts';
import { checkRepository, listRefs } from '../../support/store/ostree-cli.ts';
import { type PullOutcome, pullInProcess } from '../../support/store/pull-in-process.ts';
import { createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

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

test.each(['the same name', 'another name'])(
  'of one image under %s: the second waits, and fetches nothing',
  async (as) => {
    await using faulty = await startFaultyRegistry(registry);
    await using store = await createStore([registry, faulty]);
    const image = buildImage({ layers: [...shared, tree`f own 0644 ${as}`] });
    const name = `${faulty.address}/once/image:latest`;
    await pushImage(registry, 'once/image', image);
    const [until, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const fault = { kind: 'hold', afterBytes: 5, until: until.promise, reached: reached.resolve } as const;
    faulty.setRules([{ path: `/blobs/${image.layers[1]?.digest}`, times: 1, fault }]);
    const first = pullInProcess(store, name);
    await reached.promise;
    const second = pullImage(store.host, name, {}, as === 'another name' ? 'other:1' : undefined);
    while (!store.events.some(({ kind }) => kind === 'waiting')) await sleep(5);
    until.resolve();
    const [outcome, pulled] = await Promise.all([first, second]);
    expect([outcome.kind, pulled.fetched, pulled.reused]).toEqual([
      'pulled',
      [],
      image.layers.map(({ digest }) => digest),
    ]);
    expect(store.events).toContainEqual({
      kind: 'waiting',
      object: `the image ${pulled.image.reference}`,
      holder: expect.stringMatching(/^process \d+: /),
    });
    for (const { digest } of image.layers) {
      expect(
        faulty.requests().filter(({ method, path }) => method === 'GET' && path.endsWith(digest)),
      ).toHaveLength(1);
    }
    checkRepository(store);
  },
);

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

test('what waits of a layer goes when its commit is there, and not before: another pull may be about to place it', async () => {
  await using store = await createStore([]);
  const { repository } = store.locations;
  const [digest, commit] = [toDigest(`sha256:${'d'.repeat(64)}`), toChecksum('c'.repeat(64))];
  const waiting = `${repository}/tmp/atomic-waiting/${commit}.0123456789ab`;
  const object = formatObjectPath(repository, commit, 'commit');
  for (const path of [waiting, object]) mkdirSync(dirname(path), { recursive: true });
  for (const isThere of [false, true]) {
    writeFileSync(waiting, '');
    if (isThere) writeFileSync(object, '');
    recordLayer(repository, digest, commit);
    forgetLayers(store.host, [digest]);
    expect([existsSync(waiting), findRecordedLayer(repository, digest)]).toEqual([!isThere, undefined]);
  }
});

function pulled(image: ListedImage | undefined): PullOutcome {
  return { kind: 'pulled', commit: image?.commit ?? 'not stored' };
}
