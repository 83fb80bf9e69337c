/**
 * Manifests and configurations that are false or malformed: one clear error, nothing stored, and the next pull works.
 */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { computeDigest, toDigest } from '../../../src/image/digest.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { buildImage, type ImageInput } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { failedPull, type PullFailure } from '../../support/store/failed-pull.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import { createStore, pullLayers, pushNew, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const image = buildImage({ layers: [tree`f etc/name 0644 etcd`] });
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const NOTHING_STORED = 'Ask the author of the image; nothing was stored.';
const NO_MANIFEST =
  'The server did not send a manifest: check that the name leads to a registry, and push the image again.';
const NO_IMAGE =
  'Only images that can be run are supported, not other artifacts. Ask the author of the image.';

let registry: Registry;
let faulty: FaultyRegistry;
let store: Sandbox;
beforeAll(async () => {
  registry = await startRegistry();
  faulty = await startFaultyRegistry(registry);
  store = await createStore([registry, faulty]);
  await pullLayers(store, registry, [tree`f etc/stored 0644 before`]);
  await pushImage(registry, 'manifests/answer', image);
});
afterAll(async () => {
  await store.remove();
  await faulty.stop();
  await registry.stop();
});

const manifest = JSON.parse(Buffer.from(image.manifest.data).toString()) as Record<string, unknown>;
const answers: [title: string, body: string, failure: PullFailure, contentType?: string][] = [
  [
    'not JSON',
    'no manifest',
    {
      code: 'MANIFEST_INVALID',
      message: "reading the manifest: invalid character 'o' in literal null (expecting 'u')",
      hint: NO_MANIFEST,
    },
  ],
  [
    'the page of a login or of a wrong server',
    '<html>log in</html>',
    {
      code: 'MANIFEST_INVALID',
      message: "reading the manifest: invalid character '<' looking for beginning of value",
      hint: NO_MANIFEST,
    },
    'text/html',
  ],
  [
    'empty',
    '',
    {
      code: 'MANIFEST_INVALID',
      message: 'reading the manifest: unexpected end of JSON input',
      hint: NO_MANIFEST,
    },
  ],
  [
    'a list',
    '[]',
    {
      code: 'MANIFEST_INVALID',
      message: 'reading the manifest: it must not be of the type array',
      hint: NO_MANIFEST,
    },
  ],
  [
    'of the wrong shape',
    JSON.stringify({ ...manifest, layers: 'none' }),
    {
      code: 'MANIFEST_INVALID',
      message: 'reading the manifest: the value of layers must not be of the type string',
      hint: NO_MANIFEST,
    },
  ],
  [
    'without layers',
    JSON.stringify({ ...manifest, layers: [] }),
    {
      code: 'MANIFEST_INVALID',
      message: 'reading the manifest: the image has no layers',
      hint: NOTHING_STORED,
    },
  ],
  [
    'with a digest that is none',
    JSON.stringify({
      ...manifest,
      layers: [{ mediaType: image.layers[0]?.mediaType, digest: 'sha256:zz', size: 1 }],
    }),
    {
      code: 'MANIFEST_INVALID',
      message: 'reading the manifest: "layers[0].digest" is not a digest of sha256 or sha512',
      hint: NOTHING_STORED,
    },
  ],
  [
    'with a negative size',
    JSON.stringify({ ...manifest, layers: [{ ...image.layers[0], data: undefined, size: -1 }] }),
    {
      code: 'MANIFEST_INVALID',
      message: 'reading the manifest: "layers[0].size" is not a size',
      hint: NOTHING_STORED,
    },
  ],
  [
    'of a later schema',
    JSON.stringify({ ...manifest, schemaVersion: 3 }),
    {
      code: 'MANIFEST_UNSUPPORTED',
      message: 'reading the manifest: schema version 3 is not supported',
      hint: 'Push the image again with a current tool; Docker schema 1 is obsolete.',
    },
  ],
  [
    'of Docker schema 1',
    JSON.stringify({
      schemaVersion: 1,
      name: 'manifests/answer',
      tag: 'latest',
      architecture: 'amd64',
      fsLayers: [{ blobSum: image.layers[0]?.digest }],
      history: [{ v1Compatibility: JSON.stringify({ id: 'a'.repeat(64) }) }],
    }),
    {
      code: 'MANIFEST_UNSUPPORTED',
      message: 'unsupported legacy manifest MIME type: application/vnd.docker.distribution.manifest.v1+json',
      hint: 'Push the image again as an OCI image or a Docker image of schema 2.',
    },
    'application/vnd.docker.distribution.manifest.v1+json',
  ],
  [
    'larger than 4 MiB',
    JSON.stringify({ annotations: { note: 'x'.repeat(4 * 1024 * 1024) }, ...manifest }),
    {
      code: 'MANIFEST_INVALID',
      message: 'reading the manifest: exceeded maximum allowed size of 4194304 bytes',
      hint: 'The manifest is too large; ask the author of the image.',
    },
  ],
];

test.each(answers)('a manifest that is %s', async (_, body, expected, contentType = OCI_MANIFEST) => {
  const headers = { 'content-type': contentType };
  faulty.setRules([{ path: /\/manifests\//, fault: { kind: 'answer', status: 200, headers, body } }]);
  expect(await failedPull(store, `${faulty.address}/manifests/answer`)).toEqual(expected);
  expect(faulty.requests().filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
});

test('a manifest that is not UTF-8', async () => {
  const body = Buffer.from(image.manifest.data);
  body[body.lastIndexOf('sha256')] = 0xff;
  const odd = Buffer.concat([
    body.subarray(0, -1),
    Buffer.from(',"x":"'),
    Buffer.from([0xff]),
    Buffer.from('"}'),
  ]);
  faulty.setRules([{ path: /\/manifests\//, fault: { kind: 'change', body: () => odd } }]);
  expect((await failedPull(store, `${faulty.address}/manifests/answer`)).code).toBe('MANIFEST_INVALID');
});

test('a manifest of Docker that is not UTF-8', async () => {
  const docker = buildImage({ kind: 'docker', layers: [tree`f etc/name 0644 docker`] });
  const data = Buffer.from(`${Buffer.from(docker.manifest.data).toString().slice(0, -1)},"x":"?"}`);
  data[data.lastIndexOf('?')] = 0xff;
  const digest = toDigest(computeDigest('sha256', data));
  const odd = { ...docker, manifest: { ...docker.manifest, data, digest, size: data.length } };
  expect(await failedPull(store, await pushImage(registry, 'odd/docker', odd))).toEqual({
    code: 'MANIFEST_INVALID',
    message: expect.stringMatching(/^reading the manifest of docker:.*: it is not UTF-8$/),
    hint: NOTHING_STORED,
  });
});

test('a manifest of nearly 4 MiB is taken', async () => {
  const annotations = { note: 'x'.repeat(4 * 1024 * 1024 - 4096) };
  const name = await pushNew(registry, { layers: [tree`f etc/large 0644 1`], annotations });
  expect((await pullImage(store.host, name, {})).image.reference).toBe(name);
});

const layers = [tree`f etc/config 0644 1`];
const configurations: [title: string, input: Partial<ImageInput>, message: RegExp, hint: string][] = [
  ['not JSON', { configData: Buffer.from('nope') }, /: line 1, column 1: unexpected 'n'$/, NO_IMAGE],
  ['empty', { configData: Buffer.alloc(0) }, /: line 1, column 1: unexpected end of the file$/, NO_IMAGE],
  ['a list', { configData: Buffer.from('[]') }, /: the document must be an object$/, NO_IMAGE],
  ['without diff_ids', { configData: Buffer.from('{}') }, /: "rootfs.diff_ids" is not a list$/, NO_IMAGE],
  [
    'with too few diff_ids',
    { configData: Buffer.from('{"rootfs":{"type":"layers","diff_ids":[]}}') },
    /: it names 0 layers, the manifest 1$/,
    NO_IMAGE,
  ],
  [
    'with a diff_id that is none',
    { configData: Buffer.from('{"rootfs":{"type":"layers","diff_ids":[7]}}') },
    /: "rootfs.diff_ids" holds no digest of sha256 or sha512$/,
    NO_IMAGE,
  ],
  [
    'larger than 4 MiB',
    { configData: Buffer.from(JSON.stringify({ note: 'x'.repeat(5_000_000) })) },
    /: 50\d{5} bytes are more than 4194304$/,
    NOTHING_STORED,
  ],
];

test.each(configurations)('a configuration that is %s', async (_, input, reason, hint) => {
  expect(await failedPull(store, await pushNew(registry, { layers, ...input }))).toEqual({
    code: 'MANIFEST_INVALID',
    message: expect.stringMatching(reason),
    hint,
  });
});

test.each<[object, string]>([
  [{ config: { Entrypoint: '/bin/etcd' } }, 'config.Entrypoint must be an array'],
  [{ config: { Cmd: ['a', 1] } }, 'config.Cmd[1] must be a string'],
  [{ config: { Env: { A: '1' } } }, 'config.Env must be an array'],
  [{ config: { Labels: { version: 3 } } }, 'config.Labels.version must be a string'],
  [{ config: { User: 1000 } }, 'config.User must be a string'],
  [{ config: { WorkingDir: ['/'] } }, 'config.WorkingDir must be a string'],
  [{ config: { StopSignal: 15 } }, 'config.StopSignal must be a string'],
  [{ config: 'x' }, 'config must be an object'],
  [{ history: [{ created_by: 1 }] }, 'history[0].created_by must be a string'],
  [{ history: [{ empty_layer: 'true' }] }, 'history[0].empty_layer must be true or false'],
])('a configuration with a key of the wrong type, %j', async (part, problem) => {
  const [layer] = buildImage({ layers }).layers;
  const blob = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [layer?.diffId] },
    ...part,
  };
  const name = await pushNew(registry, { layers, configData: Buffer.from(JSON.stringify(blob)) });
  expect(await failedPull(store, name)).toEqual({
    code: 'MANIFEST_INVALID',
    message: `Invalid configuration blob in image: ${name}. ${problem}`,
    hint: 'The image is broken; build or pull it again.',
  });
});

test.each(['application/x-other', 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted'])(
  'a layer of the type %s is refused before anything is fetched',
  async (mediaType) => {
    const input = buildImage({ layers: [{ tar: tree`f etc/type 0644 1`, claim: { mediaType } }] });
    const name = await pushImage(registry, 'manifests/type', input);
    await registry.forgetRequests();
    expect(await failedPull(store, name)).toEqual({
      code: 'MANIFEST_UNSUPPORTED',
      message: `reading the manifest: layer ${input.layers[0]?.digest} has the unsupported type "${mediaType}"`,
      hint: 'System containers are made of tar layers, plain or compressed with gzip or zstd.',
    });
    expect(await registry.blobGets()).toEqual([]);
  },
);

test('Docker layers of zstd are unknown to skopeo', async () => {
  const name = await pushNew(registry, {
    kind: 'docker',
    layers: [{ tar: tree`f etc/type 0644 2`, compression: 'zstd' }],
  });
  expect(await failedPull(store, name)).toEqual({
    code: 'MANIFEST_UNSUPPORTED',
    message: 'unsupported docker v2s2 media type: "application/vnd.docker.image.rootfs.diff.tar.zstd"',
    hint: 'Push the image again as an OCI image or a Docker image of schema 2.',
  });
});

test.each([
  ['larger', 5000],
  ['smaller', 50],
])('a manifest that calls a layer %s than it is', async (_, size) => {
  const tar = tree`f etc/size 0644 ${String(size)}`;
  const input = buildImage({ layers: [{ tar, claim: { size } }] });
  const [layer] = input.layers;
  expect(await failedPull(store, await pushImage(registry, 'manifests/size', input))).toEqual({
    code: 'DIGEST_MISMATCH',
    message: `layer ${layer?.digest}: expected ${size} bytes in blob, got ${layer?.data.length}`,
    hint: 'The data was changed in the registry or file, or on the way. Nothing of this layer was stored.',
  });
});

test('a configuration whose diff_id is that of another archive', async () => {
  const diffId = toDigest(`sha256:${'1'.repeat(64)}`);
  const honest = buildImage({ layers: [tree`f etc/diff 0644 1`] });
  const name = await pushNew(registry, { layers: [{ tar: tree`f etc/diff 0644 1`, diffId }] });
  const [layer] = honest.layers;
  const lie: PullFailure = {
    code: 'DIGEST_MISMATCH',
    message: `layer ${layer?.digest}: it inflates to ${layer?.diffId}, but the image says ${diffId}`,
    hint: 'The image is damaged or forged; nothing was stored.',
  };
  expect(await failedPull(store, name)).toEqual(lie);
  await pullImage(store.host, await pushImage(registry, 'manifests/honest', honest), {});
  expect(await failedPull(store, name)).toEqual(lie);
});

test('afterwards the good image is pulled and the repository is sound', async () => {
  faulty.setRules([]);
  await pullImage(store.host, `${faulty.address}/manifests/answer`, {});
  checkRepository(store);
});
