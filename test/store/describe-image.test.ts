/** The facts of a real repository for the verbs about single images. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readImageInfo } from '../../src/containers/prepare/read-image-info.ts';
import { readImageDescription } from '../../src/store/describe-image.ts';
import { listImages } from '../../src/store/list-images.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { tagImage } from '../../src/store/tag-image.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { ostree } from '../support/store/ostree-cli.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { buildTar } from '../support/tar-writer.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const lower = tree`
  d exports 0755
  f exports/manifest.json 0644 ${'{"version":"1.0"}'}
  f exports/gone.template 0644 $GONE
  f exports/service.template 0644 ${'$NAME ${PORT} $$ $RUNTIME $1'}
`;
const upper = tree`
  d exports 0755
  w exports/gone.template
  f exports/manifest.json 0644 ${'{"defaultValues":{"PORT":"80"}}'}
  f exports/tmpfiles.template 0644 $WORD
`;
const image = buildImage({
  layers: [lower, upper],
  annotations: { note: 'n' },
  config: { Cmd: ['/run.sh'], Labels: { Name: 'web' }, StopSignal: 'SIGINT' },
});

test('an image', async () => {
  await using store = await createStore([registry]);
  const name = await pushImage(registry, 'describe/web', image);
  const pulled = (await pullImage(store.host, name, {}, 'web:1')).image;
  await tagImage(store.host, 'web:1', 'good:1');
  const layers = image.layers.map(({ digest, diffId, size, mediaType }, index) => ({
    digest,
    diffId,
    size,
    uncompressedSize: buildTar(index === 0 ? lower : upper).length,
    mediaType,
  }));
  const { details, config, ...rest } = await readImageDescription(
    store.host,
    pulled,
    await listImages(store.host),
  );
  expect(rest).toEqual({
    image: pulled,
    names: ['good:1', 'web:1'],
    digest: image.manifest.digest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    annotations: { note: 'n' },
    layers,
    signatures: 0,
  });
  expect(config).toMatchObject({ cmd: ['/run.sh'], labels: { Name: 'web' }, stopSignal: 'SIGINT' });
  expect(details.history.map(({ createdBy }) => createdBy)).toEqual(['layer 1', 'layer 2']);

  const info = await readImageInfo(store.host, pulled);
  expect(info.labels).toEqual({ Name: 'web' });
  expect([...info.variables.optional]).toEqual([
    ['PORT', '80'],
    ['RUNTIME', undefined],
  ]);
  expect(info.variables.required).toEqual(['WORD']);
  // Its other name is no other image.
  expect(info.size).toEqual({ whole: info.size.own, shared: 0, own: expect.any(Number) });
});

test('images of which the original has freed the configuration, or with a broken manifest of templates', async () => {
  await using store = await createStore([registry]);
  const broken = buildImage({
    layers: [
      tree`
      d exports 0755
      f exports/manifest.json 0644 {
      f exports/service.template 0644 $PORT
    `,
    ],
  });
  const pulled = (await pullImage(store.host, await pushImage(registry, 'describe/broken', broken), {}))
    .image;
  ostree(store, 'refs', '--delete', `ociimage/${broken.config.digest.slice('sha256:'.length)}`);
  const info = await readImageInfo(store.host, pulled);
  expect(info.labels).toEqual({});
  expect(info.variables).toEqual({ optional: new Map(), required: ['PORT'], declared: new Map() });
  expect(store.events.flatMap((event) => (event.kind === 'warning' ? [event.text] : []))).toEqual([
    `the configuration of ${pulled.reference} is not in the store; pull the image again to see it`,
    expect.stringMatching(/^Invalid manifest\.json file in image: /),
  ]);
});
