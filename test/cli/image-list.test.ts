import { describe, expect, test } from 'bun:test';
import { runtimeZone } from '../../src/base/zone.ts';
import {
  buildBlobRow,
  buildImageRow,
  formatImageList,
  type ImageRow,
} from '../../src/commands/images/list-view.ts';
import { toChecksum } from '../../src/image/checksum.ts';
import type { StoredImage } from '../../src/image/image.ts';

const etcdId = 'd7c1702506ff'.padEnd(64, '0');
const flannelId = 'f00'.padEnd(64, '1');
const etcd: StoredImage = {
  reference: 'gscrivano/etcd:latest',
  repository: 'gscrivano/etcd',
  tag: 'latest',
  id: etcdId,
  commit: toChecksum('c'.repeat(64)),
  created: new Date(2016, 8, 8, 16, 39, 12),
  virtualSize: undefined,
  configDigest: undefined,
  layerDigests: [],
  source: undefined,
};
const flannel: StoredImage = {
  ...etcd,
  reference: `127.0.0.1:5000/gscrivano/flannel@sha256:${flannelId}`,
  repository: '127.0.0.1:5000/gscrivano/flannel',
  tag: undefined,
  id: flannelId,
  virtualSize: 228_090_000,
};
const used = new Map([[flannelId, ['flannel']]]);
const rows: readonly ImageRow[] = [etcd, flannel].map((image) => buildImageRow(image, used));
const options = {
  filter: [],
  json: false,
  quiet: false,
  noheading: false,
  'no-trunc': false,
  zone: runtimeZone,
};

test('one image, with the columns of the seed article', () => {
  expect(formatImageList(rows.slice(0, 1), options)).toBe(
    [
      '   REPOSITORY       TAG          IMAGE ID       CREATED            VIRTUAL SIZE   TYPE',
      '   gscrivano/etcd   latest       d7c1702506ff   2016-09-08 16:39                  system',
      '',
    ].join('\n'),
  );
});

test('a used image has a mark, one without a tag says so', () => {
  expect(formatImageList(rows, options)).toBe(
    [
      '   REPOSITORY                         TAG          IMAGE ID       CREATED            VIRTUAL SIZE   TYPE',
      '   gscrivano/etcd                     latest       d7c1702506ff   2016-09-08 16:39                  system',
      '>  127.0.0.1:5000/gscrivano/flannel   <none>       f00111111111   2016-09-08 16:39   228.09 MB      system',
      '',
    ].join('\n'),
  );
});

test('layers', () => {
  const blob = buildBlobRow({ id: 'ab'.repeat(32), created: new Date(2026, 0, 2, 3, 4), size: 12 });
  expect(formatImageList([blob], { ...options, noheading: true })).toBe(
    '   <none>       <none>       abababababab   2026-01-02 03:04   12 B           system\n',
  );
});

describe('options', () => {
  test.each([
    { change: { quiet: true }, text: 'd7c1702506ff\nf00111111111\n' },
    { change: { quiet: true, 'no-trunc': true }, text: `${etcdId}\n${flannelId}\n` },
    { change: { quiet: true, json: true }, text: 'd7c1702506ff\nf00111111111\n' },
    { change: { quiet: true, filter: ['repo=ETCD'] }, text: 'd7c1702506ff\n' },
    { change: { quiet: true, filter: ['repository=etcd', 'tag=latest'] }, text: 'd7c1702506ff\n' },
    { change: { quiet: true, filter: ['type=ostree', 'id=f001'] }, text: 'f00111111111\n' },
    { change: { quiet: true, filter: ['type=system', 'image=f001'] }, text: 'f00111111111\n' },
    { change: { quiet: true, filter: ['size=228', 'is_dangling=false'] }, text: 'f00111111111\n' },
    { change: { quiet: true, filter: ['created=2016-09'] }, text: 'd7c1702506ff\nf00111111111\n' },
    { change: { filter: ['is_dangling=true'] }, text: '' },
    { change: { filter: ['tag=nothing'], json: true }, text: '[]\n' },
    {
      change: { noheading: true, 'no-trunc': true, filter: ['tag=latest'] },
      text: `   gscrivano/etcd   latest       ${etcdId}   2016-09-08 16:39                  system\n`,
    },
  ])('$change', ({ change, text }) => {
    expect(formatImageList(rows, { ...options, ...change })).toBe(text);
  });
});

test('JSON', () => {
  expect(JSON.parse(formatImageList(rows, { ...options, json: true }))).toEqual([
    {
      repo: 'gscrivano/etcd',
      tag: 'latest',
      is_dangling: false,
      used: false,
      vulnerable: false,
      id: etcdId,
      type: 'image',
      created: '2016-09-08 16:39',
      virtual_size: '',
      backend: 'ostree',
      vuln_info: {},
      reference: 'gscrivano/etcd:latest',
      created_at: etcd.created.toISOString(),
      virtual_size_bytes: null,
    },
    {
      repo: '127.0.0.1:5000/gscrivano/flannel',
      tag: '<none>',
      is_dangling: false,
      used: true,
      vulnerable: false,
      id: flannelId,
      type: 'image',
      created: '2016-09-08 16:39',
      virtual_size: '228.09 MB',
      backend: 'ostree',
      vuln_info: {},
      reference: `127.0.0.1:5000/gscrivano/flannel@sha256:${flannelId}`,
      created_at: flannel.created.toISOString(),
      virtual_size_bytes: 228_090_000,
    },
  ]);
});
