import { expect, test } from 'bun:test';
import { toDigest } from '../../../src/image/digest.ts';
import { findTagSource, hasDigest } from '../../../src/image/image.ts';

const hex = 'ab'.repeat(32);
const digest = toDigest(`sha256:${hex}`);

test.each([
  [`docker://r.io/a/etcd@${digest}`, 'r.io/a/etcd', '1', 'docker://r.io/a/etcd:1'],
  [`docker://docker.io/library/etcd@${digest}`, 'etcd', '1', 'docker://docker.io/library/etcd:1'],
  ['docker://r.io/a/etcd:1', 'r.io/a/etcd', '1', 'docker://r.io/a/etcd:1'],
  // The tag was chosen here.
  [`docker://r.io/a/etcd@${digest}`, 'local', '1', `docker://r.io/a/etcd@${digest}`],
  [`docker://r.io/a/myetcd@${digest}`, 'etcd', '1', `docker://r.io/a/myetcd@${digest}`],
  [`docker://r.io/a/etcd@${digest}`, 'r.io/a/etcd', undefined, `docker://r.io/a/etcd@${digest}`],
  ['dir:/srv/etcd', 'etcd', 'latest', 'dir:/srv/etcd'],
  [undefined, 'etcd', 'latest', undefined],
])(
  'the tag of an image from %s, stored as %s with the tag %s, comes from %s',
  (source, repository, tag, expected) => {
    expect(findTagSource({ source, repository, tag })).toBe(expected);
  },
);

test.each([
  [hex, 'docker://r.io/etcd:1', true],
  ['0', `docker://r.io/etcd@${digest}`, true],
  ['0', 'docker://r.io/etcd:1', false],
  ['0', undefined, false],
])('whether the image %s from %s has the digest: %s', (id, source, expected) => {
  expect(hasDigest({ id, source }, digest)).toBe(expected);
});
