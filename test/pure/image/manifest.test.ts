import { expect, test } from 'bun:test';
import { toDigest } from '../../../src/image/digest.ts';
import { findCompression, type LayerCompression, parseManifest } from '../../../src/image/manifest.ts';
import { catchError } from '../../support/thrown-error.ts';

const DIGEST = toDigest(`sha256:${'ab'.repeat(32)}`);
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: DIGEST, size: 7 };
const layer = { mediaType: `${OCI_LAYER}+gzip`, digest: DIGEST, size: 0 };
const manifest = { schemaVersion: 2, config, layers: [layer] };

test('reads the needed parts of an OCI manifest', () => {
  const text = JSON.stringify({
    ...manifest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    layers: [
      { ...layer, urls: ['x'], annotations: {} },
      { ...layer, size: 2 ** 40 },
    ],
    annotations: { a: 'b', 'not a string': 1, __proto__: 'c' },
    subject: {},
  });
  expect(parseManifest(text)).toEqual({
    config,
    layers: [layer, { ...layer, size: 2 ** 40 }],
    annotations: { a: 'b' },
  });
});

test('reads a Docker manifest', () => {
  const docker = {
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { ...config, mediaType: 'application/vnd.docker.container.image.v1+json' },
    layers: [{ ...layer, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' }],
  };
  expect(parseManifest(JSON.stringify(docker))).toEqual({
    config: docker.config,
    layers: docker.layers,
    annotations: {},
  });
});

test('annotations may be null, as some tools write them', () => {
  expect(parseManifest(JSON.stringify({ ...manifest, annotations: null })).annotations).toEqual({});
});

test.each<[string, unknown, string]>([
  ['a list', [], 'it is not an object'],
  ['null', null, 'it is not an object'],
  ['an index', { schemaVersion: 2, manifests: [] }, 'it is a list of manifests where one image was expected'],
  ['no layers', { ...manifest, layers: undefined }, '"layers" is not a list'],
  ['an empty list of layers', { ...manifest, layers: [] }, 'the image has no layers'],
  ['501 layers', { ...manifest, layers: Array(501).fill(layer) }, '501 layers are more than 500'],
  ['no config', { ...manifest, config: undefined }, '"config" is not an object'],
  [
    'a config without digest',
    { ...manifest, config: { size: 1, mediaType: '' } },
    '"config.digest" is not a digest of sha256 or sha512',
  ],
  ['a layer that is a string', { ...manifest, layers: [DIGEST] }, '"layers[0]" is not an object'],
  [
    'a short digest',
    { ...manifest, layers: [layer, { ...layer, digest: 'sha256:ab' }] },
    '"layers[1].digest" is not a digest of sha256 or sha512',
  ],
  [
    'an upper-case digest',
    { ...manifest, layers: [{ ...layer, digest: DIGEST.toUpperCase() }] },
    '"layers[0].digest" is not a digest of sha256 or sha512',
  ],
  [
    'a digest with a path',
    { ...manifest, layers: [{ ...layer, digest: `${DIGEST}/../x` }] },
    '"layers[0].digest" is not a digest of sha256 or sha512',
  ],
  [
    'a digest with a line feed',
    { ...manifest, layers: [{ ...layer, digest: `${DIGEST}\n` }] },
    '"layers[0].digest" is not a digest of sha256 or sha512',
  ],
  ['a negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }, '"layers[0].size" is not a size'],
  [
    'a fraction as size',
    { ...manifest, layers: [{ ...layer, size: 1.5 }] },
    '"layers[0].size" is not a size',
  ],
  [
    'a size above 2^53',
    { ...manifest, layers: [{ ...layer, size: 2 ** 53 }] },
    '"layers[0].size" is not a size',
  ],
  ['a size in quotes', { ...manifest, layers: [{ ...layer, size: '7' }] }, '"layers[0].size" is not a size'],
  [
    'no media type',
    { ...manifest, layers: [{ digest: DIGEST, size: 1 }] },
    '"layers[0].mediaType" is not a string',
  ],
  ['annotations in a list', { ...manifest, annotations: [] }, '"annotations" is not an object'],
])('%s is invalid', (_, value, problem) => {
  expect(catchError(() => parseManifest(JSON.stringify(value)))).toEqual({
    code: 'MANIFEST_INVALID',
    message: `reading the manifest: ${problem}`,
    hint: 'Ask the author of the image; nothing was stored.',
  });
});

test('text that is not JSON is invalid', () => {
  expect(catchError(() => parseManifest('<html>'))).toEqual({
    code: 'MANIFEST_INVALID',
    message: 'reading the manifest: it is not JSON',
    hint: undefined,
  });
});

test.each([[1], [undefined], ['2']])('schema version %p is not supported', (schemaVersion) => {
  expect(catchError(() => parseManifest(JSON.stringify({ ...manifest, schemaVersion })))).toEqual({
    code: 'MANIFEST_UNSUPPORTED',
    message: `reading the manifest: schema version ${JSON.stringify(schemaVersion)} is not supported`,
    hint: 'Push the image again with a current tool; Docker schema 1 is obsolete.',
  });
});

test.each<[string, LayerCompression]>([
  [OCI_LAYER, 'none'],
  [`${OCI_LAYER}+gzip`, 'gzip'],
  [`${OCI_LAYER}+zstd`, 'zstd'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'gzip'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'gzip'],
])('%s is compressed with %s', (mediaType, compression) => {
  expect(findCompression({ ...layer, mediaType })).toBe(compression);
});

test.each([
  [`${OCI_LAYER}+encrypted`],
  [`${OCI_LAYER}+bzip2`],
  ['application/octet-stream'],
  [''],
  ['constructor'],
  ['__proto__'],
])('a layer of the type %j is not supported', (mediaType) => {
  expect(catchError(() => findCompression({ ...layer, mediaType }))).toEqual({
    code: 'MANIFEST_UNSUPPORTED',
    message: `reading the manifest: layer ${DIGEST} has the unsupported type ${JSON.stringify(mediaType)}`,
    hint: 'System containers are made of tar layers, plain or compressed with gzip or zstd.',
  });
});
