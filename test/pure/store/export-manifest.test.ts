import { expect, test } from 'bun:test';
import { type Digest, toDigest } from '../../../src/image/digest.ts';
import { planManifest } from '../../../src/store/export/export-manifest.ts';

const digest = (digit: string): Digest => toDigest(`sha256:${digit.repeat(64)}`);
const oci = (kind: string): string => `application/vnd.oci.image.${kind}`;
const docker = (kind: string): string => `application/vnd.docker.${kind}`;

const ociManifest = {
  schemaVersion: 2,
  config: { mediaType: oci('config.v1+json'), digest: digest('c'), size: 3 },
  layers: [
    {
      mediaType: oci('layer.v1.tar+zstd'),
      digest: digest('1'),
      size: 10,
      annotations: { kept: 'x', 'io.github.containers.zstd-chunked.manifest-position': '1' },
    },
    { mediaType: oci('layer.v1.tar+gzip'), digest: digest('2'), size: 20 },
  ],
  annotations: { note: 'ü' },
};
const dockerManifest = {
  schemaVersion: 2,
  mediaType: docker('distribution.manifest.v2+json'),
  config: { mediaType: docker('container.image.v1+json'), digest: digest('c'), size: 3 },
  layers: [
    { mediaType: docker('image.rootfs.diff.tar.gzip'), digest: digest('1'), size: 10 },
    { mediaType: docker('image.rootfs.foreign.diff.tar.gzip'), digest: digest('2'), size: 20, urls: ['x'] },
  ],
};
const changes = new Map([[digest('1'), { digest: digest('9'), size: 99 }]]);
const none = new Map<string, never>();

const noPlain: ReadonlySet<string> = new Set();

test('without changes the text itself is returned, in any form', () => {
  for (const text of [JSON.stringify(ociManifest), ` ${JSON.stringify(dockerManifest, undefined, 3)}\n`]) {
    expect(planManifest(text, 'own', none, noPlain)).toBe(text);
  }
  expect(planManifest(JSON.stringify(ociManifest), 'oci', none, noPlain)).toBe(JSON.stringify(ociManifest));
});

test('a layer is another blob: its digest and size, and without what was true of the other blob only', () => {
  expect(JSON.parse(planManifest(JSON.stringify(ociManifest), 'oci', changes, noPlain))).toEqual({
    ...ociManifest,
    layers: [
      { mediaType: oci('layer.v1.tar+zstd'), digest: digest('9'), size: 99, annotations: { kept: 'x' } },
      ociManifest.layers[1],
    ],
  });
  expect(JSON.parse(planManifest(JSON.stringify(dockerManifest), 'own', changes, noPlain))).toEqual({
    ...dockerManifest,
    layers: [{ ...dockerManifest.layers[0], digest: digest('9'), size: 99 }, dockerManifest.layers[1]],
  });
});

test('a plain layer of Docker, which it calls gzip, is a plain one of OCI', () => {
  const [plain, ...others] = dockerManifest.layers;
  const planned = planManifest(JSON.stringify(dockerManifest), 'oci', none, new Set([plain?.digest ?? '']));
  expect(JSON.parse(planned)).toMatchObject({
    layers: [
      { ...plain, mediaType: oci('layer.v1.tar') },
      ...others.map((layer) => ({ ...layer, mediaType: oci('layer.v1.tar+gzip') })),
    ],
  });
});

test('a Docker manifest becomes one of OCI with the same blobs', () => {
  expect(JSON.parse(planManifest(JSON.stringify(dockerManifest), 'oci', none, noPlain))).toEqual({
    schemaVersion: 2,
    mediaType: oci('manifest.v1+json'),
    config: { ...dockerManifest.config, mediaType: oci('config.v1+json') },
    layers: dockerManifest.layers.map((layer) => ({ ...layer, mediaType: oci('layer.v1.tar+gzip') })),
  });
});

test('layers that are archives without compression make a Docker manifest', () => {
  const plain = new Map([
    [digest('1'), { digest: digest('a'), size: 1 }],
    [digest('2'), { digest: digest('b'), size: 2 }],
  ]);
  expect(JSON.parse(planManifest(JSON.stringify(ociManifest), 'uncompressed', plain, noPlain))).toEqual({
    ...ociManifest,
    mediaType: docker('distribution.manifest.v2+json'),
    config: { ...ociManifest.config, mediaType: docker('container.image.v1+json') },
    layers: [
      {
        mediaType: docker('image.rootfs.diff.tar'),
        digest: digest('a'),
        size: 1,
        annotations: { kept: 'x' },
      },
      { mediaType: docker('image.rootfs.diff.tar'), digest: digest('b'), size: 2 },
    ],
  });
});
