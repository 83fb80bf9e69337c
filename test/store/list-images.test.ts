import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { toChecksum } from '../../src/image/checksum.ts';
import { listBlobs, listImages } from '../../src/store/list-images.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { findImage } from '../support/store/find-by-name.ts';
import { listRefs, ostree } from '../support/store/ostree-cli.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';
import { takeSnapshot } from '../support/tree-snapshot.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const one = buildImage({ layers: [tree`f one 0644 1`] });
const two = buildImage({ layers: [tree`f one 0644 1`, tree`f two 0644 2`], kind: 'docker' });

test('a host without a repository has no images, and a list creates none', async () => {
  await using store = await createStore([]);
  const before = takeSnapshot(store.folder.path);
  expect(await listImages(store.host)).toEqual([]);
  expect(await listBlobs(store.host)).toEqual([]);
  expect(await findImage(store.host, 'etcd')).toBeUndefined();
  expect([...takeSnapshot(store.folder.path)]).toEqual([...before]);
});

test('images by name, blobs newest first, and nothing else that is in the folder of the refs', async () => {
  await using store = await createStore([registry]);
  const begin = Math.floor(Date.now() / 1000) * 1000;
  const pulled = [];
  for (const [name, tag, image] of [
    ['b/two', 'latest', two],
    ['a/one', 'v10', one],
    ['a/one', 'V9', one],
  ] as const) {
    pulled.push((await pullImage(store.host, await pushImage(registry, name, image, tag), {})).image);
  }
  const heads = `${store.locations.repository}/refs/heads/ociimage`;
  const [anyCommit = ''] = listRefs(store).map((ref) => ostree(store, 'rev-parse', ref).trim());
  writeFileSync(`${heads}/no-colon`, `${anyCommit}\n`);
  writeFileSync(`${heads}/not%20ours`, `${anyCommit}\n`);
  mkdirSync(`${heads}/folder`);
  symlinkSync('nowhere', `${heads}/dangling_3Alink`);

  const images = await listImages(store.host);
  const [latest, v10, v9] = pulled;
  expect([v9, v10, latest]).toMatchObject(images);
  for (const { created } of images) expect(created.getTime()).toBeGreaterThanOrEqual(begin);
  expect(v10?.id).toBe(v9?.id ?? '');

  const blobs = await listBlobs(store.host);
  const sizes = new Map(
    [one, two]
      .flatMap(({ config, layers }) => [config, ...layers])
      .map(({ digest, size }) => [digest.slice(7), size]),
  );
  expect(new Map(blobs.map(({ id, size }) => [id, size]))).toEqual(
    new Map([...sizes].map(([id, size]) => [id, size])),
  );
  const times = blobs.map(({ created }) => created.getTime());
  expect(times).toEqual([...times].sort((a, b) => b - a));
});

test('an image is found under the name it was pulled by only', async () => {
  await using store = await createStore([registry]);
  const name = await pushImage(registry, 'find/one', one, '1');
  const { image } = await pullImage(store.host, name, {});
  expect(await findImage(store.host, name)).toEqual(image);
  expect(await findImage(store.host, `oci:${name}`)).toEqual(image);
  expect(await findImage(store.host, name.slice(0, -2))).toBeUndefined();
  expect(await findImage(store.host, `${registry.address}/find/one:2`)).toBeUndefined();
  expect(await findImage(store.host, 'find/one:1')).toBeUndefined();
  expect(findImage(store.host, 'Not A Name')).rejects.toMatchObject({ code: 'BAD_REFERENCE' });
});

test('an image that the original program stored, with its own form of a manifest', async () => {
  await using store = await createStore([registry]);
  await pullImage(store.host, await pushImage(registry, 'old/own', one), {});
  const digest = `sha256:${'d'.repeat(64)}`;
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { mediaType: 'application/octet-stream', size: 1, digest: one.config.digest },
    layers: one.layers.map(({ size, digest: layer }) => ({
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      size,
      digest: layer,
    })),
  });
  const folder = store.folder.join('old');
  mkdirSync(folder);
  writeFileSync(`${folder}/manifest.json`, manifest);
  const commit = ostree(
    store,
    'commit',
    '--branch=ociimage/busybox_3Alatest',
    `--tree=dir=${folder}`,
    '--timestamp=@1473638400',
    `--add-metadata-string=docker.manifest=${manifest}`,
    `--add-metadata-string=docker.digest=${digest}`,
    '--add-metadata-string=signatures=0',
  ).trim();
  expect(await findImage(store.host, 'busybox')).toEqual({
    reference: 'busybox:latest',
    repository: 'busybox',
    tag: 'latest',
    id: 'd'.repeat(64),
    commit: toChecksum(commit),
    created: new Date(1_473_638_400_000),
    virtualSize: one.layers[0]?.size,
    configDigest: one.config.digest,
    layerDigests: one.layers.map((layer) => layer.digest),
    source: undefined,
  });
  expect((await listImages(store.host)).map(({ reference }) => reference)).toContain('busybox:latest');
});
