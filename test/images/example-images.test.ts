import { beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { buildEtcdImage, buildFlannelImage, buildHelloImage } from '../../images/example-images.ts';
import type { BuiltImage } from '../support/oci-image.ts';

let etcd: BuiltImage;
let flannel: BuiltImage;
let hello: BuiltImage;
beforeAll(async () => {
  [etcd, flannel, hello] = await Promise.all([buildEtcdImage(), buildFlannelImage(), buildHelloImage()]);
});

const digests = (image: BuiltImage): string[] => image.layers.map((layer) => layer.digest);

test('the images share their lower layers', () => {
  const [base, etcdctl] = digests(etcd);
  expect(digests(flannel).slice(0, 2)).toEqual([base ?? '', etcdctl ?? '']);
  expect(digests(hello).slice(0, 1)).toEqual([base ?? '']);
  expect(new Set([etcd, flannel, hello].flatMap(digests)).size).toBe(6);
});

test('the same files make the same image', async () => {
  expect((await buildHelloImage()).manifest.digest).toBe(hello.manifest.digest);
});

test.each([
  ['etcd', () => etcd, ['usr/bin/etcd-env.sh']],
  ['flannel', () => flannel, ['usr/bin/flanneld.sh']],
  ['hello', () => hello, ['usr/bin/run.sh']],
])('the last layer of %s is its own files', (_, image, programs) => {
  const layer = image().layers.at(-1)?.data;
  const { stdout } = spawnSync('tar', ['-tz'], { input: Buffer.from(layer ?? []), encoding: 'utf8' });
  const exports = ['config.json.template', 'manifest.json', 'service.template', 'tmpfiles.template'];
  expect(stdout.trimEnd().split('\n')).toEqual([
    ...['usr', 'usr/bin', ...programs, 'exports'],
    ...exports.map((name) => `exports/${name}`),
  ]);
});
