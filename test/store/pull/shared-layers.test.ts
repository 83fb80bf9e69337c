/**
 * Images of equal content share everything, however their layers were compressed; an image cannot claim the content of
 * another.
 */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { toDigest } from '../../../src/image/digest.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage, type ImageInput } from '../../support/oci-image.ts';
import { writeLayout } from '../../support/oci-layout.ts';
import { createSandbox } from '../../support/sandbox.ts';
import { readCacheContent, writeCacheContent } from '../../support/store/cache-content.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { checkRepository, readMetadata } from '../../support/store/ostree-cli.ts';
import { checkOut, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const base = tree`
  d etc 0750
  f etc/base 0644 base
  f opt/implied/file 0644 1
`;
const top = tree`f etc/.wh.base 0644 ${''}`;

const baseDiffId = buildImage({ layers: [base] }).layers[0]?.diffId ?? '';

type Contents = [refName: string, diffId: string][];

let files: TemporaryFolder;
beforeAll(async () => {
  files = await createTemporaryFolder('layers');
});
afterAll(() => files.remove());

let layouts = 0;
async function write(input: ImageInput): Promise<string> {
  layouts += 1;
  return writeLayout(files.join(`layout-${layouts}`), buildImage(input));
}

const refOf = (digest: string): string => `ociimage/${digest.slice('sha256:'.length)}`;

test('a layer that is stored with another compression is not fetched', async () => {
  await using store = await createSandbox();
  const first = await pullImage(store.host, await write({ layers: [base, top] }), {}, 'first');
  const plain = buildImage({ layers: [base, top].map((tar) => ({ tar, compression: 'none' })) });
  await writeLayout(files.join('plain'), plain);
  store.events.length = 0;
  const second = await pullImage(store.host, `oci:${files.join('plain')}`, {}, 'second');
  expect(second).toMatchObject({ fetched: [], reused: plain.layers.map(({ digest }) => digest) });
  expect(store.events.filter(({ kind }) => kind === 'layer-started')).toEqual([]);
  const [a, b] = [await checkOut(store, first), await checkOut(store, second)].map(describeTree);
  expect(b).toEqual(a ?? []);
  const [old = '', fresh = ''] = [first, second].map(({ image }) => toDigest(image.layerDigests[0] ?? ''));
  for (const key of ['uncompressed_digest', 'uncompressed_size'].map((name) => `docker.${name}`)) {
    expect(readMetadata(store, refOf(fresh), key)).toBe(readMetadata(store, refOf(old), key));
  }
  expect(readMetadata(store, refOf(fresh), 'tarsplit.output')).toBe(
    readMetadata(store, refOf(old), 'tarsplit.output'),
  );
  expect(readMetadata(store, refOf(fresh), 'docker.size')).toBe(String(plain.layers[0]?.size));
  checkRepository(store);
});

test.each<[string, (entries: Contents) => unknown, number]>([
  ['knows where it is', (entries) => entries, 0],
  ['knows nothing', () => [], 0],
  ['takes all layers for it', (entries) => entries.map(([name]) => [name, baseDiffId]), 0],
  ['takes no layer for it', (entries) => entries.map(([name]) => [name, '']), 1],
  ['is something else', () => [null], 0],
])('a content is found, or fetched, where the store %s', async (_, change, fetched) => {
  await using store = await createSandbox();
  await pullImage(store.host, await write({ layers: [tree`f other 0644 1`, base] }), {}, 'first');
  const plain = await write({ layers: [{ tar: base, compression: 'none' }] });
  // The first pull had nothing to remember yet.
  await pullImage(store.host, await write({ layers: [tree`f another 0644 1`] }), {}, 'second');
  const path = `${store.locations.repository}/tmp/cache/atomic-layers-1`;
  const entries: Contents = JSON.parse(readCacheContent(path));
  expect(entries.map(([, diffId]) => diffId)).toContain(baseDiffId);
  writeCacheContent(path, JSON.stringify(change(entries)));
  const pulled = await pullImage(store.host, plain, {}, 'third');
  expect(pulled.fetched).toHaveLength(fetched);
  expect(describeTree(await checkOut(store, pulled))).toContain('f etc/base 0644 0:0 "base"');
  checkRepository(store);
});

test('a plain archive with the type gzip is read as plain, by its digest', async () => {
  await using store = await createSandbox();
  const layer = {
    tar: base,
    compression: 'none',
    claim: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' },
  } as const;
  expect((await pullImage(store.host, await write({ layers: [layer] }), {}, 'lying')).fetched.length).toBe(1);
});

test('a false claim about the content of a layer does not affect the true layer', async () => {
  await using store = await createSandbox();
  const evil = buildImage({ layers: [tree`f etc/name 0644 evil`] });
  const good = buildImage({ layers: [tree`f etc/name 0644 good`] });
  await writeLayout(files.join('evil'), evil);
  await writeLayout(files.join('good'), good);
  await pullImage(store.host, `oci:${files.join('evil')}`, {}, 'evil');
  // The layer of the good image, said to hold what the evil one does.
  const forged = await write({
    layers: [{ tar: tree`f etc/name 0644 good`, diffId: evil.layers[0]?.diffId ?? '' }],
  });
  expect((await pullImage(store.host, forged, {}, 'forged')).fetched).toEqual([]);
  const pulled = await pullImage(store.host, `oci:${files.join('good')}`, {}, 'good');
  expect(pulled.fetched).toEqual([toDigest(good.layers[0]?.digest ?? '')]);
  expect(describeTree(await checkOut(store, pulled))).toContain('f etc/name 0644 0:0 "good"');
  // Now that the layer was read, the lie shows.
  expect((await failedPull(store, forged)).code).toBe('DIGEST_MISMATCH');
  checkRepository(store);
});
