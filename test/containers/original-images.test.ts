/** Images and containers of the original tool, in stores that the program `ostree` has written. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { diffRoots } from '../../src/containers/diff.ts';
import { mountSubject } from '../../src/containers/mount.ts';
import { readImageInfo } from '../../src/containers/prepare/read-image-info.ts';
import { repairImages } from '../../src/containers/verify/repair-images.ts';
import { verifyImages } from '../../src/containers/verify/verify-images.ts';
import { toChecksum } from '../../src/image/checksum.ts';
import { toDigest } from '../../src/image/digest.ts';
import { formatBlobRef, formatImageRef } from '../../src/image/ref-name.ts';
import { isSound } from '../../src/image/verified-image.ts';
import { findRef, formatObjectPath } from '../../src/ostree/object-files.ts';
import { readImage } from '../../src/store/find-image.ts';
import { readImageRoot } from '../../src/store/image-root.ts';
import { readSignatures } from '../../src/store/image-signatures.ts';
import { listImages } from '../../src/store/list-images.ts';
import { mergeNamedImage } from '../../src/store/merge-image.ts';
import { unmountRoot } from '../../src/store/mount/unmount.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { tagImage } from '../../src/store/tag-image.ts';
import { compareWithRegistries } from '../../src/store/verify/compare-remote.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { describeTree } from '../support/store/describe-tree.ts';
import { findImage } from '../support/store/find-by-name.ts';
import { deployAsOriginal, storeAsOriginal } from '../support/store/original-store.ts';
import { checkRepository, listRefs } from '../support/store/ostree-cli.ts';
import { checkOut, createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const base = tree`
  d ./ 0555
  d bin 0755
  f bin/tool 04755 @1:2 the tool
  l bin/again -> tool
  d etc 0755
  f etc/gone 0644 x
  d data 0700 @3:4
  f data/old 0644 x
  f data/kept 0600 kept
  d exports 0755
  f exports/config.json.template 0644 {"root": {"path": "rootfs"}, "port": "$PORT"}
`;
const upper = tree`
  d etc 0755
  f etc/.wh.gone 0644
  f etc/conf 0644 settings
  d data 0750 @3:4
  f data/.wh.old 0644
  d exports 0755
  f exports/manifest.json 0644 {"version": "1.0", "defaultValues": {"PORT": "80"}}
`;
const built = buildImage({ kind: 'docker', layers: [base, upper], config: { Labels: { Name: 'old' } } });

let registry: Registry;
let reference: string;
/** The root filesystem, as this program makes it of the same image. */
let expected: string[];
beforeAll(async () => {
  registry = await startRegistry();
  reference = await pushImage(registry, 'original/image', built);
  await using other = await createStore([registry]);
  expected = describeTree(await checkOut(other, await pullImage(other.host, reference, {})));
});
afterAll(() => registry.stop());

let store: Sandbox;
let commit: string;
beforeEach(async () => {
  store = await createStore([registry]);
  commit = storeAsOriginal(store, reference, built);
  registry.forgetRequests();
});
afterEach(() => store.remove());

const readRoot = async (): Promise<string[]> => {
  const image = await readImage(store.host, reference);
  return describeTree(await checkOut(store, { image }));
};
const asContainer = () => deployAsOriginal(store, 'old', { reference, commit, image: built });

test('the layers of an image are merged once, under all of its names', async () => {
  await tagImage(store.host, reference, 'other:1');
  const before = await readImage(store.host, reference);
  await expect(checkOut(store, { image: before })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  await mergeNamedImage(store.host, reference);
  const after = await readImage(store.host, reference);
  expect(after).toEqual({ ...before, commit: after.commit });
  expect(after.commit).not.toBe(commit);
  expect((await readImage(store.host, 'other:1')).commit).toBe(after.commit);
  expect(await readRoot()).toEqual(expected);
  await mergeNamedImage(store.host, reference);
  expect((await readImage(store.host, reference)).commit).toBe(after.commit);
  checkRepository(store);
  expect(await registry.requests()).toEqual([]);
});

test('layers of the first versions, and signatures beside the manifest', async () => {
  await using old = await createStore([]);
  const signatures = Array.from({ length: 11 }, (_, index) => `signature ${index}`);
  storeAsOriginal(old, 'x/old:1', built, { signatures, hasOldLayers: true });
  await mergeNamedImage(old.host, 'x/old:1');
  const image = await readImage(old.host, 'x/old:1');
  expect(describeTree(await checkOut(old, { image }))).toEqual(expected);
  expect(readSignatures(old.host, image).map(String)).toEqual(signatures);
});

const digests = built.layers.map(({ digest }) => digest);
const inspected = toDigest(`sha256:${'ab'.repeat(32)}`);
test.each<[string, object, string | undefined]>([
  [
    'schema 1, the top layer first',
    { schemaVersion: 1, fsLayers: digests.toReversed().map((blobSum) => ({ blobSum })), history: [] },
    undefined,
  ],
  ['what skopeo inspect printed', { Name: 'x/old', Digest: inspected, Layers: digests }, inspected],
])('a manifest of an old kind: %s', async (_, manifest, id) => {
  await using old = await createStore([]);
  const text = JSON.stringify(manifest);
  const stored = storeAsOriginal(old, 'x/old:1', built, { manifest: text, hasOldLayers: true });
  expect((await listImages(old.host)).map((image) => [image.reference, image.id])).toEqual([
    ['x/old:1', id?.slice('sha256:'.length) ?? stored],
  ]);
  expect((await verifyImages(old.host, [])).images.map(isSound)).toEqual([true]);
  const root = readImageRoot(old.locations.repository, toChecksum(stored));
  await mergeNamedImage(old.host, 'x/old:1');
  const image = await readImage(old.host, 'x/old:1');
  expect(readImageRoot(old.locations.repository, image.commit).dirtree).toBe(root.dirtree);
  expect(describeTree(await checkOut(old, { image }))).toEqual(expected);
  expect(image.id).toBe(id?.slice('sha256:'.length) ?? stored);
  await readImageInfo(old.host, image);
});

test('an image under a name that cannot be pulled is merged and compared', async () => {
  await using old = await createStore([]);
  storeAsOriginal(old, 'Old Image:1', built);
  await mergeNamedImage(old.host, 'Old Image:1');
  const [listed] = await listImages(old.host);
  const image = await readImage(old.host, listed?.id ?? '');
  expect(describeTree(await checkOut(old, { image }))).toEqual(expected);
  const [compared] = await compareWithRegistries(old.host, [], {});
  expect(compared).toMatchObject({ reference: 'Old Image:1', status: { kind: 'not-from-registry' } });
});

test('the record of an archive shows which directories it did not name', async () => {
  const image = buildImage({
    kind: 'docker',
    layers: [
      tree`
        d ./ 0555
        d tmp 01777
        d data 0700 @3:4
      `,
      tree`
        f tmp/implied/file 0644 x
        d data 0755
      `,
    ],
  });
  const name = await pushImage(registry, 'original/implied', image);
  const { image: ours } = await pullImage(store.host, name, {}, 'x/ours');
  await using old = await createStore([]);
  storeAsOriginal(old, name, image, { hasRecords: true });
  await mergeNamedImage(old.host, name);
  const merged = describeTree(await checkOut(old, { image: await readImage(old.host, name) }));
  expect(merged).toEqual(describeTree(await checkOut(store, { image: ours })));
  expect(merged).toContain('d tmp 1777 0:0');
});

test('a mount shows the root filesystem', async () => {
  const directory = store.folder.join('mnt');
  mkdirSync(directory);
  await mountSubject(store.host, { subject: reference, directory, options: [] });
  try {
    expect(describeTree(directory)).toEqual(expected);
  } finally {
    await unmountRoot(store.host, directory);
  }
});

test('commands that only read show the root filesystem and write nothing', async () => {
  const refs = listRefs(store);
  const image = await readImage(store.host, reference);
  const { labels, variables } = await readImageInfo(store.host, image);
  expect(labels).toEqual({ Name: 'old' });
  expect([...variables.optional]).toEqual([['PORT', '80']]);
  const { image: pulled } = await pullImage(store.host, reference, {}, 'x/ours');
  expect((await diffRoots(store.host, reference, 'x/ours')).changes).toEqual([]);
  const { images } = await verifyImages(store.host, [reference]);
  expect(images.map(isSound)).toEqual([true]);
  expect(listRefs(store).filter((ref) => !ref.includes('x_2Fours'))).toEqual(refs);
  expect<string | undefined>(findRef(store.locations.repository, formatImageRef(reference))).toBe(commit);
  expect(pulled.id).toBe(image.id);
});

test('a pull of the same digest fetches nothing and stores the root filesystem', async () => {
  const pulled = await pullImage(store.host, reference, {});
  expect(pulled.fetched).toEqual([]);
  expect(pulled.image.source).toBe(`docker://${reference}`);
  expect(await readRoot()).toEqual(expected);
});

test('an image of one file called manifest.json does not count as an image of the original', async () => {
  const name = await pushImage(
    registry,
    'original/one',
    buildImage({ layers: [tree`f manifest.json 0644 {}`] }),
  );
  const { image } = await pullImage(store.host, name, {});
  await mergeNamedImage(store.host, name);
  expect((await findImage(store.host, name))?.commit).toBe(image.commit);
});

test('a missing layer is named, and nothing is written', async () => {
  const [, { digest = '' } = {}] = built.layers;
  rmSync(`${store.locations.repository}/refs/heads/${formatBlobRef(toDigest(digest))}`);
  const message = `Layer not found: ${digest.slice(7)}.  Please pull the image again`;
  await expect(mergeNamedImage(store.host, reference)).rejects.toThrow(message);
  const image = await readImage(store.host, reference);
  await expect(readImageInfo(store.host, image)).rejects.toThrow(message);
  expect<string>(image.commit).toBe(commit);
  // The verification is not stopped by it.
  const { images } = await verifyImages(store.host, []);
  expect(images.flatMap(({ problems }) => problems.map(({ name }) => name))).toEqual([
    formatBlobRef(toDigest(digest)),
  ]);
  await pullImage(store.host, reference, {});
  expect(await readRoot()).toEqual(expected);
});

test('a container as the original left it is sound', async () => {
  asContainer();
  const { images } = await verifyImages(store.host, []);
  expect(images.flatMap(({ deployments }) => deployments)).toEqual([
    { container: 'old', number: 0, files: 6, problems: [], damagedLinks: [] },
  ]);
});

test('a damaged container of the original is found, and repaired from its layers', async () => {
  const rootfs = asContainer();
  const before = describeTree(rootfs);
  const damage = (): void => {
    rmSync(`${rootfs}/bin/tool`);
    writeFileSync(`${rootfs}/bin/tool`, 'another tool');
    rmSync(`${rootfs}/etc`, { recursive: true });
    chmodSync(`${rootfs}/data`, 0o777);
    writeFileSync(`${rootfs}/added`, 'kept');
  };
  damage();
  const { images } = await verifyImages(store.host, []);
  const found = images.flatMap(({ deployments }) => deployments.flatMap(({ problems }) => problems));
  expect(found.map(({ path, state }) => `${state} ${path}`).sort()).toEqual([
    'additional /added',
    'changed /bin/tool',
    'changed /data',
    'missing /etc',
  ]);
  const { repairs } = await repairImages(store.host, [], {});
  expect(repairs.map(({ after, failure }) => [isSound(after), failure])).toEqual([[true, undefined]]);
  rmSync(`${rootfs}/added`);
  // The folder gets the mode of the merge, which the original ignored.
  chmodSync(`${rootfs}/data`, 0o700);
  expect(describeTree(rootfs)).toEqual(before);
  expect(JSON.parse(readFileSync(`${rootfs}/../info`, 'utf8'))['ostree-commit']).toBe(commit);
  expect(await registry.requests()).toEqual([]);
  checkRepository(store);
});

test('an object that only a container of the original still has is taken from it', async () => {
  asContainer();
  const image = await readImage(store.host, reference);
  const { dirtree, readTree } = readImageRoot(store.locations.repository, image.commit);
  const bin = readTree(dirtree).directories.find(({ name }) => name === 'bin');
  const tool = readTree(toChecksum(bin?.dirtree ?? '')).files.find(({ name }) => name === 'tool');
  rmSync(formatObjectPath(store.locations.repository, toChecksum(tool?.checksum ?? ''), 'file'));
  const { images } = await verifyImages(store.host, []);
  expect(images.flatMap(({ problems }) => problems)).toMatchObject([
    { paths: ['/bin/tool'], isInRoot: true },
  ]);
  const { repairs } = await repairImages(store.host, [], {});
  expect(repairs.map(({ takenFromDeployments, failure }) => [takenFromDeployments, failure])).toEqual([
    [1, undefined],
  ]);
  expect(await registry.requests()).toEqual([]);
  checkRepository(store);
});

test('a container that was made of the manifest alone is repaired', async () => {
  const rootfs = asContainer();
  const before = describeTree(rootfs);
  rmSync(rootfs, { recursive: true });
  mkdirSync(rootfs, { mode: 0o755 });
  const { repairs } = await repairImages(store.host, [], {});
  expect(repairs.map(({ failure }) => failure)).toEqual([undefined]);
  expect(describeTree(rootfs).filter((line) => !line.startsWith('d data'))).toEqual(
    before.filter((line) => !line.startsWith('d data')),
  );
});
