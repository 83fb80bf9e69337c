import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import type { Host } from '../../../src/host/host.ts';
import type { PulledImage } from '../../../src/image/image.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import {
  buildImage,
  buildIndex,
  type Compression,
  type ImageKind,
  type Platform,
} from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { checkOut, createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const kinds: readonly ImageKind[] = ['oci', 'docker'];
const compressions: readonly Compression[] = ['gzip', 'zstd', 'none'];
const otherPlatforms: readonly Platform[] = [
  { os: 'linux', architecture: 's390x' },
  { os: 'windows', architecture: 'amd64' },
];
const NO_PLATFORM_HINT =
  'The image is not made for the platform of this machine; use --platform to pull it for another platform.';

/** skopeo knows no Docker image of schema 2 with zstd layers. */
const formats = kinds
  .flatMap((kind) => compressions.map((compression) => [kind, compression] as const))
  .filter(([kind, compression]) => kind === 'oci' || compression !== 'zstd');

test.each(formats)('%s image with %s layers', async (kind, compression) => {
  await using store = await createStore([registry]);
  const image = buildImage({
    kind,
    layers: [
      { tar: tree`f etc/one 0644 ${`${kind} ${compression}`}`, compression },
      { tar: tree`f etc/two 0600 2`, compression },
    ],
  });
  const name = await pushImage(registry, `formats/${kind}-${compression}`, image);
  const pulled = await pullImage(store.host, name, {});
  expect(pulled).toEqual({
    image: {
      reference: name,
      repository: name.slice(0, -':latest'.length),
      tag: 'latest',
      id: image.manifest.digest.slice('sha256:'.length),
      commit: expect.stringMatching(/^[0-9a-f]{64}$/),
      created: expect.any(Date),
      virtualSize: image.layers.reduce((sum, { size }) => sum + size, 0),
      configDigest: image.config.digest,
      layerDigests: image.layers.map(({ digest }) => digest),
      source: `docker://${name}`,
    },
    bytesFetched: image.layers.reduce((sum, { size }) => sum + size, 0),
    fetched: image.layers.map(({ digest }) => digest),
    reused: [],
    isUpToDate: false,
  } satisfies PulledImage);
  expect(describeTree(await checkOut(store, pulled))).toEqual([
    'd . 0755 0:0',
    'd etc 0755 0:0',
    `f etc/one 0644 0:0 "${kind} ${compression}"`,
    'f etc/two 0600 0:0 "2"',
  ]);
});

test.each(kinds)('a second pull of the same %s image starts skopeo once', async (kind) => {
  await using store = await createStore([registry]);
  const name = await pushImage(
    registry,
    `twice/${kind}`,
    buildImage({ kind, layers: [tree`f etc/one 0644 ${kind}`] }),
  );
  await pullImage(store.host, name, {});
  const started: string[] = [];
  const trace: Host['trace'] = ({ argv }) => void started.push(argv[1] ?? '');
  const again = await pullImage({ ...store.host, trace }, name, {});
  expect([again.isUpToDate, started]).toEqual([true, ['experimental-image-proxy']]);
});

test.each(kinds)('the image for this machine is chosen of a list (%s)', async (kind) => {
  await using store = await createStore([registry]);
  const own = buildImage({ kind, layers: [tree`f own 0644 ${kind}`] });
  const others = otherPlatforms.map((platform) =>
    buildImage({ kind, platform, layers: [tree`f other 0644 ${platform.os}`] }),
  );
  const index = buildIndex([...others, own], { kind });
  const { image, fetched } = await pullImage(
    store.host,
    await pushImage(registry, `lists/${kind}`, index),
    {},
  );
  expect({ id: image.id, fetched }).toEqual({
    id: own.manifest.digest.slice('sha256:'.length),
    fetched: own.layers.map(({ digest }) => digest),
  });
});

test.each(kinds)('a list without an image for this machine is refused (%s)', async (kind) => {
  await using store = await createStore([registry]);
  const images = otherPlatforms.map((platform) => buildImage({ kind, platform, layers: [tree`f a 0644 1`] }));
  const name = await pushImage(registry, `lists/foreign-${kind}`, buildIndex(images, { kind }));
  const { code, message, hint } = await failedPull(store, name);
  expect({ code, hint }).toEqual({ code: 'MANIFEST_UNSUPPORTED', hint: NO_PLATFORM_HINT });
  expect(message).toMatch(/^the index has no image for architecture \w+, OS linux$/);
});

test('an empty index is refused', async () => {
  await using store = await createStore([registry]);
  const { code, hint } = await failedPull(store, await pushImage(registry, 'lists/empty', buildIndex([])));
  expect({ code, hint }).toEqual({ code: 'MANIFEST_UNSUPPORTED', hint: NO_PLATFORM_HINT });
});

test('a layer of several gzip members is one archive', async () => {
  await using store = await createStore([registry]);
  const tar = buildTar(tree`f etc/one 0644 1`);
  const data = Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]);
  const name = await pushImage(registry, 'formats/members', buildImage({ layers: [{ tar, data }] }));
  expect(describeTree(await checkOut(store, await pullImage(store.host, name, {})))).toEqual([
    'd . 0755 0:0',
    'd etc 0755 0:0',
    'f etc/one 0644 0:0 "1"',
  ]);
});
