/** The names by which a stored image can be found. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readImage, readImages } from '../../src/store/find-image.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { findImage } from '../support/store/find-by-name.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let store: Sandbox;
const image = buildImage({ layers: [tree`f one 0644 1`] });
const other = buildImage({ layers: [tree`f two 0644 2`] });
const idOf = (built: typeof image): string => built.manifest.digest.slice('sha256:'.length);
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  const name = await pushImage(registry, 'find/one', image);
  await pullImage(store.host, name, {});
  await pullImage(store.host, name, {}, `${registry.address}/find/again:2`);
  await pullImage(store.host, await pushImage(registry, 'find/other', other), {});
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

test('a name means latest, and finds one', async () => {
  const found = await readImages(store.host, `${registry.address}/find/one`);
  expect(found.map(({ reference }) => reference)).toEqual([`${registry.address}/find/one:latest`]);
});

test('the beginning of an id finds every name of the image', async () => {
  const found = await readImages(store.host, idOf(image).slice(0, 12));
  expect(found.map(({ reference }) => reference)).toEqual([
    `${registry.address}/find/again:2`,
    `${registry.address}/find/one:latest`,
  ]);
  for (const written of [idOf(image), image.manifest.digest]) {
    expect((await readImage(store.host, written)).reference).toBe(`${registry.address}/find/again:2`);
  }
});

test('a name that looks like an id goes before the id', async () => {
  const prefix = idOf(image).slice(0, 12);
  await pullImage(store.host, `${registry.address}/find/other`, {}, `${prefix}:latest`);
  expect((await readImage(store.host, prefix)).id).toBe(idOf(other));
});

test('unknown ones', async () => {
  const failing = (written: string): Promise<unknown> =>
    readImages(store.host, written).catch((error) => error);
  expect(await failing('nothing')).toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    message: 'Cannot find image nothing.',
    hint: 'List the images: atomic images list',
  });
  expect(await failing('f'.repeat(64))).toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  expect(await failing('No/Name')).toMatchObject({ code: 'BAD_REFERENCE' });
  expect(await findImage(store.host, 'nothing')).toBeUndefined();
});
