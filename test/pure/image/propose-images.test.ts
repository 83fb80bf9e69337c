import { expect, test } from 'bun:test';
import { proposeImages } from '../../../src/image/propose-images.ts';

const stored = [
  '127.0.0.1:5000/gscrivano/etcd:latest',
  'registry.example.com/team/etcd:3.4',
  'registry.example.com/team/etcd:3.5',
  'registry.example.com/team/flannel:latest',
  'web:1',
  `pinned@sha256:${'ab'.repeat(32)}`,
];

const cases: [written: string, proposed: string[]][] = [
  [
    'registry.example.com/team/etcd',
    ['registry.example.com/team/etcd:3.4', 'registry.example.com/team/etcd:3.5'],
  ],
  [
    'http:registry.example.com/team/etcd:3',
    ['registry.example.com/team/etcd:3.4', 'registry.example.com/team/etcd:3.5'],
  ],
  ['etcd', ['127.0.0.1:5000/gscrivano/etcd:latest']],
  ['etcd:3.5', ['registry.example.com/team/etcd:3.5']],
  ['gscrivano/etcd:9', ['127.0.0.1:5000/gscrivano/etcd:latest']],
  ['quay.io/other/flannel', ['registry.example.com/team/flannel:latest']],
  ['flanel', ['registry.example.com/team/flannel:latest']],
  ['registry.example.com/team/flanell', ['registry.example.com/team/flannel:latest']],
  ['wbe', ['web:1']],
  ['pinned', [`pinned@sha256:${'ab'.repeat(32)}`]],
  ['nothing-like-it', []],
  ['registry.example.com/team/nginx', []],
  ['0123456789ab', []],
  ['', []],
  [':@/', []],
];

test.each(cases)('%s', (written, proposed) => {
  expect([...proposeImages(written, stored)]).toEqual(proposed);
});

test('at most five', () => {
  const many = Array.from({ length: 9 }, (_, tag) => `etcd:${tag}`);
  expect([...proposeImages('etcd', many)]).toEqual(many.slice(0, 5));
});
