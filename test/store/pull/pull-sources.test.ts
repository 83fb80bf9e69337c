/** Files, folders and podman's store as sources: what is fetched, under which name it is stored, and what is recorded. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type BuiltImage, buildImage, buildIndex } from '../../support/oci-image.ts';
import { writeLayout } from '../../support/oci-layout.ts';
import { run } from '../../support/run.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { failedPull, listLeftovers } from '../../support/store/failed-pull.ts';
import { findImage } from '../../support/store/find-by-name.ts';
import { checkRepository, readMetadata } from '../../support/store/ostree-cli.ts';
import { checkOut, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const etcd = buildImage({ layers: [tree`f etc/base 0644 base`, tree`f etc/name 0644 etcd`] });
const flannel = buildImage({ layers: [tree`f etc/base 0644 base`, tree`f etc/name 0644 flannel`] });
const foreign = buildImage({
  layers: [tree`f etc/name 0644 foreign`],
  platform: { os: 'linux', architecture: 's390x' },
});

let files: TemporaryFolder;
let store: Sandbox;
beforeAll(async () => {
  files = await createTemporaryFolder('sources');
  store = await createSandbox();
  const at = (name: string): string => files.join(name);
  await writeLayout(at('single'), etcd, '3.4');
  await writeLayout(at('pair'), etcd, '3.4');
  await writeLayout(at('pair'), flannel, 'r.io/flannel:1');
  await writeLayout(at('beside'), etcd, '3.4');
  const besides = JSON.parse(readFileSync(`${at('beside')}/index.json`, 'utf8'));
  besides.manifests.unshift({ ...besides.manifests[0], annotations: {} });
  writeFileSync(`${at('beside')}/index.json`, JSON.stringify(besides));
  await writeLayout(at('list'), buildIndex([foreign, etcd]), 'latest');
  await writeLayout(at('co:lon'), etcd, '3.4');
  const copies = [
    [`oci:${at('single')}:3.4`, `docker-archive:${at('one.tar')}:etcd:3.4`],
    [`oci:${at('single')}:3.4`, `docker-archive:${at('untagged.tar')}`],
    [`oci:${at('single')}:3.4`, `oci-archive:${at('archive.tar')}:etcd:3.4`],
    [`oci:${at('single')}:3.4`, `oci-archive:${at('unnamed.tar')}`],
    [`oci:${at('single')}:3.4`, `dir:${at('folder')}`],
    [`docker-archive:${at('one.tar')}`, `dir:${at('plain')}`],
  ];
  for (const copy of copies) run(['skopeo', 'copy', '--quiet', ...copy]);
  const tags = ['--additional-tag', 'etcd:also', '--additional-tag', 'etcd:latest'];
  run([
    'skopeo',
    'copy',
    '--quiet',
    ...tags,
    `oci:${at('single')}:3.4`,
    `docker-archive:${at('tags.tar')}:etcd:3.4`,
  ]);
  writeFileSync(at('small.tgz'), gzipSync(readFileSync(at('untagged.tar'))));
  // gunzip takes zeros behind its data for padding
  const padded = Buffer.concat([gzipSync(readFileSync(at('untagged.tar'))), Buffer.alloc(512)]);
  writeFileSync(at('padded.tgz'), padded);
  writeFileSync(at('archive.tar.gz'), gzipSync(readFileSync(at('archive.tar'))));
  copyFileSync(at('one.tar'), at('a:b.tar'));
});
afterAll(async () => {
  await store.remove();
  await files.remove();
});

/** The manifest that skopeo and podman generate for an image without one. */
function formatEngineManifest(image: BuiltImage): string {
  const { digest, size } = image.config;
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', size, digest },
    layers: image.layers.map(({ diffId }) => ({
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      size: 2048,
      digest: diffId,
    })),
  });
}

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const own = etcd.manifest.digest.slice('sha256:'.length);
const engine = hex(formatEngineManifest(etcd));

test.each<[source: string, reference: string, id: string, location: string]>([
  [
    'dockertar:FILES/one.tar',
    'docker.io/library/etcd:3.4',
    engine,
    'docker-archive:FILES/one.tar:docker.io/library/etcd:3.4',
  ],
  ['docker-archive:FILES/untagged.tar', 'untagged:latest', engine, 'docker-archive:FILES/untagged.tar:@0'],
  ['dockertar:FILES/small.tgz', 'small:latest', engine, 'docker-archive:FILES/small.tgz:@0'],
  ['dockertar:FILES/padded.tgz', 'padded:latest', engine, 'docker-archive:FILES/padded.tgz:@0'],
  [
    'dockertar:FILES/tags.tar:etcd:also',
    'docker.io/library/etcd:also',
    engine,
    'docker-archive:FILES/tags.tar:docker.io/library/etcd:also',
  ],
  [
    'dockertar:FILES/tags.tar:etcd',
    'docker.io/library/etcd:latest',
    engine,
    'docker-archive:FILES/tags.tar:docker.io/library/etcd:latest',
  ],
  [
    'dockertar:FILES/a:b.tar:etcd:3.4',
    'docker.io/library/etcd:3.4',
    engine,
    'docker-archive:FILES/a:b.tar:docker.io/library/etcd:3.4',
  ],
  ['oci:FILES/single', 'single:3.4', own, 'oci:FILES/single:3.4'],
  ['oci:FILES/pair:3.4', 'pair:3.4', own, 'oci:FILES/pair:3.4'],
  ['oci:FILES/beside', 'beside:3.4', own, 'oci:FILES/beside:3.4'],
  ['oci:FILES/list:latest', 'list:latest', own, 'oci:FILES/list:latest'],
  ['oci-archive:FILES/archive.tar', 'etcd:3.4', own, 'oci-archive:FILES/archive.tar:etcd:3.4'],
  ['oci-archive:FILES/archive.tar.gz:etcd:3.4', 'etcd:3.4', own, 'oci-archive:FILES/archive.tar.gz:etcd:3.4'],
  ['oci-archive:FILES/unnamed.tar', 'unnamed:latest', own, 'oci-archive:FILES/unnamed.tar'],
  ['dir:FILES/folder', 'folder:latest', own, 'dir:FILES/folder'],
  // plain layers under a type that says gzip
  ['dir:FILES/plain', 'plain:latest', engine, 'dir:FILES/plain'],
])('%s is stored as %s', async (source, reference, id, location) => {
  await using fresh = await createSandbox();
  const pulled = await pullImage(fresh.host, source.replace('FILES', files.path), {});
  expect(pulled.image).toMatchObject({ reference, id, source: location.replace('FILES', files.path) });
  expect(describeTree(await checkOut(fresh, pulled))).toContain('f etc/name 0644 0:0 "etcd"');
  expect([pulled.fetched.length, pulled.reused.length]).toEqual([2, 0]);
  expect(fresh.events.filter(({ kind }) => kind === 'warning')).toEqual([]);
  expect(listLeftovers(fresh)).toEqual([]);
});

test('the name of --as overrides the name of the source', async () => {
  const { image } = await pullImage(store.host, `oci:${files.join('pair')}:r.io/flannel:1`, {}, 'mine');
  expect(image).toMatchObject({ reference: 'mine:latest', id: flannel.manifest.digest.slice(7) });
  expect((await findImage(store.host, 'mine'))?.commit).toBe(image.commit);
  expect(await findImage(store.host, 'r.io/flannel:1')).toBeUndefined();
});

test('a layout whose annotation is a full name', async () => {
  const { image } = await pullImage(store.host, `oci:${files.join('pair')}:r.io/flannel:1`, {});
  expect(image.reference).toBe('r.io/flannel:1');
});

test('a layout below a folder with a colon', async () => {
  const { image } = await pullImage(store.host, `oci:${files.join('co:lon')}:3.4`, {}, 'colon');
  expect(image).toMatchObject({ id: own, source: `oci:${files.join('co:lon')}:3.4` });
});

test('another platform of a list', async () => {
  const platform = { os: 'linux', architecture: 's390x' };
  const { image } = await pullImage(store.host, `oci:${files.join('list')}`, { platform }, 'foreign');
  expect(image.id).toBe(foreign.manifest.digest.slice(7));
});

test("oci: before a registry's image keeps its old meaning, with a warning", async () => {
  store.events.length = 0;
  const failure = await pullImage(store.host, 'oci:127.0.0.1:1/etcd', {}).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  expect(store.events[0]).toEqual({
    kind: 'warning',
    text: "There is no folder 127.0.0.1:1/etcd; 'oci:' is read as the name of a registry's image.",
  });
});

test("podman's store, under the name that podman takes for a short one", async () => {
  const folder = files.join('podman');
  mkdirSync(folder);
  writeFileSync(
    `${folder}/storage.conf`,
    `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/root"\nrunroot = "${folder}/run"\n`,
  );
  const env = { CONTAINERS_STORAGE_CONF: `${folder}/storage.conf` };
  run(['podman', 'pull', '--quiet', `oci-archive:${files.join('archive.tar')}`], env);
  await using fresh = await createSandbox({ env });
  const pulled = await pullImage(fresh.host, 'containers-storage:etcd:3.4', {});
  expect(pulled.image).toMatchObject({
    reference: 'etcd:3.4',
    source: 'containers-storage:localhost/etcd:3.4',
    configDigest: etcd.config.digest,
    layerDigests: etcd.layers.map(({ diffId }) => diffId),
  });
  expect(pulled.fetched.length).toBe(2);
  expect(listLeftovers(fresh)).toEqual([]);
  const failure = await pullImage(fresh.host, 'containers-storage:nope', {}).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    hint: 'List the images of podman: podman images',
  });
  const reject = { '': [{ type: 'reject' }] };
  const policy = {
    default: [{ type: 'insecureAcceptAnything' }],
    transports: { 'containers-storage': reject },
  };
  await using strict = await createSandbox({ env, containers: { policy } });
  expect(await failedPull(strict, 'containers-storage:etcd:3.4')).toMatchObject({ code: 'POLICY_REJECTED' });
});

test('afterwards the repository is sound, and knows where its images come from', async () => {
  checkRepository(store);
  expect(readMetadata(store, 'ociimage/mine_3Alatest', 'atomic.source')).toBe(
    `oci:${files.join('pair')}:r.io/flannel:1`,
  );
});
