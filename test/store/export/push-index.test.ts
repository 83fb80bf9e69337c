/** A push to a tag that an index of several platforms has. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { pushImage as pushStored } from '../../../src/store/export/export.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { startFaultyRegistry } from '../../support/faulty-registry.ts';
import { buildImage, buildIndex } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const own = buildImage({ layers: [tree`f file 0644 one`] });
const foreign = buildImage({
  layers: [tree`f file 0644 two`],
  platform: { os: 'linux', architecture: 's390x' },
});
const index = buildIndex([own, foreign]);
const { os, architecture } = own.platform;

let registry: Registry;
let store: Sandbox;
let name: string;
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  name = await pushImage(registry, 'many/platforms', index, '1');
  await pullImage(store.host, name, {});
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

async function pushAndRead(destination?: string): Promise<string[]> {
  store.events.length = 0;
  await pushStored(store.host, name, destination, { tlsVerify: false });
  return store.events.flatMap((event) => (event.kind === 'warning' ? [event.text] : []));
}

test('a tag that names one image, or none, is replaced without a warning', async () => {
  expect(await pushAndRead(`${registry.address}/many/other:1`)).toEqual([]);
  expect(await pushAndRead(`${registry.address}/many/other:1`)).toEqual([]);
});

test('a registry that does not answer for a tag still gets the image', async () => {
  await using faulty = await startFaultyRegistry(registry, [
    { path: /manifests\/1$/, fault: { kind: 'answer', status: 404 } },
  ]);
  expect(await pushAndRead(`${faulty.address}/many/third:1`)).toEqual([]);
});

test('where an index is replaced, a warning names its platforms and its digest, once', async () => {
  expect(await pushAndRead()).toEqual([
    `${name} is an index of ${os}/${architecture}, linux/s390x: this push puts one image in the place of that index, ${index.manifest.digest}`,
  ]);
  expect(await pushAndRead()).toEqual([]);
});
