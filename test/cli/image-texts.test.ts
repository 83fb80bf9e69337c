/** The output of the verbs about single images. */

import { describe, expect, test } from 'bun:test';
import { formatImageHistory } from '../../src/commands/images/history-view.ts';
import { buildImageInfoJson, formatImageInfo } from '../../src/commands/images/info-view.ts';
import { buildImageDocument } from '../../src/commands/images/inspect-view.ts';
import { formatPruned } from '../../src/commands/images/prune-view.ts';
import {
  formatDeletion,
  formatDeletionQuestion,
  formatWords,
  isYes,
} from '../../src/commands/options/confirm-deletion.ts';
import type { ImageInfo } from '../../src/containers/prepare/read-image-info.ts';
import { toChecksum } from '../../src/image/checksum.ts';
import { emptyImageConfig } from '../../src/image/configuration-blob.ts';
import { toDigest } from '../../src/image/digest.ts';
import type { StoredImage } from '../../src/image/image.ts';
import type { ImageDescription } from '../../src/image/image-description.ts';

const id = 'd7c1702506ff'.padEnd(64, '0');
const image: StoredImage = {
  reference: 'gscrivano/etcd:latest',
  repository: 'gscrivano/etcd',
  tag: 'latest',
  id,
  commit: toChecksum('c'.repeat(64)),
  created: new Date(2016, 8, 8, 16, 39, 12),
  virtualSize: 3,
  configDigest: toDigest(`sha256:${'e'.repeat(64)}`),
  layerDigests: [toDigest(`sha256:${'1'.repeat(64)}`), toDigest(`sha256:${'2'.repeat(64)}`)],
  source: 'docker://gscrivano/etcd',
};

describe('images info', () => {
  const info: ImageInfo = {
    image,
    labels: { b: 'two\u001b[31m\nlines', a: 'one' },
    variables: {
      optional: new Map([
        ['PORT', '8081'],
        ['RUNTIME', undefined],
      ]),
      required: ['WORD'],
      declared: new Map([
        [
          'WORD',
          { type: 'string', help: 'What to say', isRequired: true, isSecret: false, choices: ['a', 'b'] },
        ],
        ['TOKEN', { type: 'string', help: '', isRequired: false, isSecret: true, choices: [] }],
      ]),
    },
    asks: {
      privileges: [
        { kind: 'user', subject: 'root' },
        { kind: 'host-path', subject: '/srv/$WORD', access: 'writable' },
      ],
      unknown: ['the template is wrong'],
    },
    size: { whole: 228_090_000, shared: 8_000, own: 228_082_000 },
  };

  test('M-40: labels, both lists of variables, sizes', () => {
    expect(formatImageInfo(info)).toBe(
      [
        'Image Name: gscrivano/etcd:latest',
        'a: one',
        'b: two lines',
        '',
        '',
        'Template variables with default value, but overridable with --set:',
        'PORT: 8081',
        'RUNTIME: {SET_BY_OS}',
        '',
        '',
        'Template variables that has no default value, and must be set with --set:',
        'WORD: {DEF_VALUE}',
        '',
        '',
        'The image says about its variables and secrets:',
        'TOKEN: secret, given with --secret TOKEN=PATH',
        'WORD: string, one of a, b, required. What to say',
        '',
        '',
        'Asks of the host, with the default values:',
        'to run as root',
        '/srv/$WORD of the host, writable',
        'not known: the template is wrong',
        '',
        '',
        'Size on disk: 228.09 MB',
        'Shared with other images: 8.00 KB',
        'Only in this image: 228.08 MB',
        '',
      ].join('\n'),
    );
  });

  test('an image without labels and variables', () => {
    const asks = { privileges: [], unknown: [] };
    const plain = {
      ...info,
      labels: {},
      variables: { optional: new Map(), required: [], declared: new Map() },
      asks,
    };
    expect(formatImageInfo(plain)).toBe(
      [
        'Image Name: gscrivano/etcd:latest',
        '',
        '',
        'Size on disk: 228.09 MB',
        'Shared with other images: 8.00 KB',
        'Only in this image: 228.08 MB',
        '',
      ].join('\n'),
    );
  });

  test('JSON', () => {
    expect(buildImageInfoJson(info)).toEqual({
      schemaVersion: 1,
      reference: 'gscrivano/etcd:latest',
      id,
      labels: info.labels,
      variables: {
        optional: { PORT: '8081', RUNTIME: null },
        required: ['WORD'],
        declared: {
          TOKEN: { type: 'string', help: '', required: false, secret: true, choices: [] },
          WORD: { type: 'string', help: 'What to say', required: true, secret: false, choices: ['a', 'b'] },
        },
      },
      asks: info.asks.privileges,
      asks_unknown: ['the template is wrong'],
      size: { bytes: 228_090_000, shared_bytes: 8_000, own_bytes: 228_082_000 },
    });
  });
});

const description: ImageDescription = {
  image,
  names: ['etcd:3', 'gscrivano/etcd:latest'],
  digest: toDigest(`sha256:${id}`),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  annotations: { note: 'n' },
  layers: [
    {
      digest: toDigest(`sha256:${'1'.repeat(64)}`),
      diffId: toDigest(`sha256:${'a'.repeat(64)}`),
      size: 1,
      uncompressedSize: 2048,
      mediaType: 'tar',
    },
    {
      digest: toDigest(`sha256:${'2'.repeat(64)}`),
      diffId: undefined,
      size: 2,
      uncompressedSize: undefined,
      mediaType: 'tar',
    },
  ],
  config: { ...emptyImageConfig, cmd: ['/usr/bin/etcd-env.sh'], stopSignal: 'SIGTERM' },
  details: {
    created: new Date('2016-09-12T10:00:00Z'),
    platform: { os: 'linux', architecture: 'amd64', variant: '' },
    diffIds: [],
    history: [
      {
        created: new Date(2016, 8, 12, 10, 1),
        createdBy: `ADD ${'x'.repeat(50)}`,
        comment: 'from\u0007 scratch',
        author: '',
        isEmpty: false,
      },
      { created: undefined, createdBy: 'CMD', comment: '', author: 'me', isEmpty: true },
    ],
  },
  signatures: 0,
};
const steps = [
  {
    created_at: null,
    created_by: null,
    comment: null,
    author: null,
    layer: `sha256:${'2'.repeat(64)}`,
    size_bytes: null,
  },
  { created_at: null, created_by: 'CMD', comment: '', author: 'me', layer: null, size_bytes: 0 },
  {
    created_at: new Date(2016, 8, 12, 10, 1).toISOString(),
    created_by: `ADD ${'x'.repeat(50)}`,
    comment: 'from\u0007 scratch',
    author: '',
    layer: `sha256:${'1'.repeat(64)}`,
    size_bytes: 2048,
  },
];

describe('images history', () => {
  const options = { quiet: false, json: false, 'no-trunc': false };
  test.each([
    {
      change: {},
      lines: [
        '   CREATED            CREATED BY                                      SIZE      COMMENT',
        '                      <missing>',
        '                      CMD                                             0 B',
        `   2016-09-12 10:01   ADD ${'x'.repeat(38)}...   2.05 KB   from scratch`,
      ],
    },
    {
      change: { 'no-trunc': true },
      lines: [
        `   CREATED            CREATED BY${' '.repeat(47)}SIZE      COMMENT`,
        '                      <missing>',
        `                      CMD${' '.repeat(54)}0 B`,
        `   2016-09-12 10:01   ADD ${'x'.repeat(50)}   2.05 KB   from scratch`,
      ],
    },
    { change: { quiet: true, json: true }, lines: ['2'.repeat(12), '1'.repeat(12)] },
    { change: { quiet: true, 'no-trunc': true }, lines: ['2'.repeat(64), '1'.repeat(64)] },
  ])('$change', ({ change, lines }) => {
    expect(formatImageHistory(description, { ...options, ...change })).toBe(`${lines.join('\n')}\n`);
  });

  test('JSON', () => {
    expect(JSON.parse(formatImageHistory(description, { ...options, json: true }))).toEqual({
      schemaVersion: 1,
      reference: 'gscrivano/etcd:latest',
      id,
      history: steps,
    });
  });
});

test('images inspect', () => {
  expect(buildImageDocument(description, ['etcd'])).toEqual({
    reference: 'gscrivano/etcd:latest',
    names: ['etcd:3', 'gscrivano/etcd:latest'],
    id,
    digest: toDigest(`sha256:${id}`),
    config_digest: toDigest(`sha256:${'e'.repeat(64)}`),
    media_type: 'application/vnd.oci.image.manifest.v1+json',
    ostree_commit: toChecksum('c'.repeat(64)),
    source: 'docker://gscrivano/etcd',
    stored_at: image.created.toISOString(),
    created_at: '2016-09-12T10:00:00.000Z',
    platform: { os: 'linux', architecture: 'amd64', variant: '' },
    virtual_size_bytes: 3,
    layers: [
      {
        digest: toDigest(`sha256:${'1'.repeat(64)}`),
        diff_id: `sha256:${'a'.repeat(64)}`,
        size_bytes: 1,
        uncompressed_size_bytes: 2048,
        media_type: 'tar',
      },
      {
        digest: toDigest(`sha256:${'2'.repeat(64)}`),
        diff_id: null,
        size_bytes: 2,
        uncompressed_size_bytes: null,
        media_type: 'tar',
      },
    ],
    config: {
      entrypoint: [],
      cmd: ['/usr/bin/etcd-env.sh'],
      env: [],
      user: '',
      working_directory: '',
      labels: {},
      stop_signal: 'SIGTERM',
    },
    annotations: { note: 'n' },
    history: steps,
    signatures: 0,
    used_by: ['etcd'],
  });
});

describe('images delete', () => {
  const names = [
    { reference: 'gscrivano/etcd:latest', id },
    { reference: 'x:\u001b[1m1', id: undefined },
  ];
  const list =
    '   IMAGE                 STORAGE\n   gscrivano/etcd:latest ostree\n   x:1                   ostree\n';

  test('D-01: the words of the original', () => {
    expect(formatDeletionQuestion(names)).toBe(
      `Do you wish to delete the following images?\n\n${list}\nConfirm (y/N) `,
    );
    expect(formatDeletion(names)).toBe(`The following images will be deleted.\n\n${list}`);
    expect(formatWords(['etcd', 'a\nb'])).toBe("['etcd', 'a b']");
  });

  test.each([
    ['y', true],
    [' YES ', true],
    ['', false],
    ['yeah', false],
    ['n', false],
    [undefined, false],
  ])('the answer %p', (answer, yes) => {
    expect(isYes(answer)).toBe(yes);
  });
});

test('images prune', () => {
  expect(formatPruned({ objects: 1, bytes: 5, leftovers: [] })).toBe('Freed 1 object, 5 B\n');
  expect(formatPruned({ objects: 0, bytes: 0, leftovers: ['/a', '/b'] })).toBe(
    'Removed /a\nRemoved /b\nFreed 0 objects, 0 B\n',
  );
});
