/** The objects that a prune frees and keeps (compatibility ). */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { type Checksum, toChecksum } from '../../src/image/checksum.ts';
import type { PulledImage } from '../../src/image/image.ts';
import { tryLock } from '../../src/native/libc.ts';
import { formatObjectPath } from '../../src/ostree/object-files.ts';
import { removeImageNames } from '../../src/ostree/write-refs.ts';
import { withExclusiveStore } from '../../src/store/access/store-lock.ts';
import { readImage } from '../../src/store/find-image.ts';
import { listImageNames, selectImageNames } from '../../src/store/image-names.ts';
import { measureImage } from '../../src/store/prune/image-size.ts';
import { type PrunedStore, pruneRepository } from '../../src/store/prune/prune.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { tagImage } from '../../src/store/tag-image.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { checkRepository, listRefs, ostree } from '../support/store/ostree-cli.ts';
import { createStore, pullLayers, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const base = tree`
  d etc 0755
  f etc/shared 0644 ${'s'.repeat(5000)}
`;
const webLayer = tree`f web 0755 ${'w'.repeat(3000)}`;
const web = buildImage({ layers: [base, webLayer] });
const database = buildImage({ layers: [base, tree`f database 0755 ${'d'.repeat(2000)}`] });

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
  await pushImage(registry, 'prune/web', web);
  await pushImage(registry, 'prune/database', database);
});
afterAll(() => registry.stop());

const pullWeb = (store: Sandbox): Promise<PulledImage> =>
  pullImage(store.host, `${registry.address}/prune/web`, {}, 'web:latest');
const pullDatabase = (store: Sandbox): Promise<PulledImage> =>
  pullImage(store.host, `${registry.address}/prune/database`, {}, 'database:latest');
const prune = (store: Sandbox, deployments: Parameters<typeof pruneRepository>[1] = []) =>
  withExclusiveStore(store.host, () => pruneRepository(store.host, deployments));
const hexOf = (digest: string): string => digest.slice('sha256:'.length);
const refsOf = ({ config, layers }: typeof web): string[] =>
  [config, ...layers].map(({ digest }) => `ociimage/${hexOf(digest)}`);

/** Objects and their lengths. */
function listObjects(store: Sandbox): Map<string, number> {
  const folder = `${store.locations.repository}/objects`;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.includes('.'),
  );
  return new Map(names.map((name) => [name, lstatSync(`${folder}/${name}`).size]));
}

function countFreed(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  const gone = [...before].filter(([name]) => !after.has(name));
  return { objects: gone.length, bytes: gone.reduce((sum, [, size]) => sum + size, 0) };
}

const nothing: PrunedStore = { refs: [], objects: 0, bytes: 0, leftovers: [] };

test('frees exactly the objects that only a deleted image had, and prints their size', async () => {
  await using store = await createStore([registry]);
  expect(await prune(store)).toEqual(nothing);
  await pullWeb(store);
  await pullDatabase(store);
  expect(await prune(store)).toEqual(nothing);

  const before = listObjects(store);
  const size = await measureImage(store.host, await readImage(store.host, 'web'));
  expect(size.whole).toBe(size.shared + size.own);
  expect(size.shared).toBeGreaterThan(5000);
  expect(size.own).toBeGreaterThan(3000);

  await removeImageNames(store.host, ['web:latest']);
  checkRepository(store);
  expect(listObjects(store)).toEqual(before);
  store.events.length = 0;
  const pruned = await prune(store);
  const unused = refsOf(web).filter((ref) => !refsOf(database).includes(ref));
  expect(pruned).toEqual({ ...nothing, refs: unused.sort(), ...countFreed(before, listObjects(store)) });
  expect(pruned.bytes).toBe(size.own);
  expect(store.events.filter(({ kind }) => kind === 'notice')).toEqual(
    unused.map((ref) => ({ kind: 'notice', text: `Deleting ${ref}` })),
  );
  expect(listRefs(store)).toEqual([...refsOf(database), 'ociimage/database_3Alatest'].sort());
  checkRepository(store);

  await removeImageNames(store.host, ['database:latest']);
  await prune(store);
  expect([...listObjects(store)]).toEqual([]);
  expect(listRefs(store)).toEqual([]);
  // The store is as good as new.
  expect((await pullWeb(store)).fetched).toHaveLength(2);
  checkRepository(store);
});

test('the commit and layers of a container stay when the image was deleted', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullWeb(store);
  const before = listObjects(store);
  await removeImageNames(store.host, ['web:latest']);
  const { checkouts } = store.locations;
  const deployment = { name: 'web', checkouts, commit: image.commit };
  expect(await prune(store, [deployment])).toEqual(nothing);
  expect(listObjects(store)).toEqual(before);
  expect(listRefs(store)).toEqual(refsOf(web).sort());
  checkRepository(store);
  // It is pulled again without a layer.
  expect((await pullWeb(store)).fetched).toEqual([]);
  await removeImageNames(store.host, ['web:latest']);
  await prune(store, []);
  expect([...listObjects(store)]).toEqual([]);
});

test('nothing is freed when the commit of a container is missing', async () => {
  await using store = await createStore([registry]);
  await pullWeb(store);
  await removeImageNames(store.host, ['web:latest']);
  const before = listObjects(store);
  const commit = toChecksum('f'.repeat(64));
  for (const [checkouts, owner, prefix] of [
    [store.locations.checkouts, 'container web', ''],
    ['/srv/other', 'container web in /srv/other', 'ATOMIC_OSTREE_CHECKOUT_PATH=/srv/other '],
  ] as const) {
    expect(await prune(store, [{ name: 'web', checkouts, commit }]).catch((error) => error)).toMatchObject({
      code: 'STORE_CORRUPT',
      message: `${owner} is damaged: reading object ${commit}.commit: it is missing`,
      hint: `Nothing was freed, because its objects are unknown: repair it with \`${prefix}atomic images verify --repair\`, or remove the container with \`${prefix}atomic uninstall web\` (install it again afterwards), and repeat the command.`,
    });
  }
  expect(listObjects(store)).toEqual(before);
});

test('X-10: a name that looks like hexadecimal is an image, configurations stay, S-05: a parent of zeros too', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullWeb(store);
  await tagImage(store.host, 'web', 'cafe:1');
  await removeImageNames(store.host, ['web:latest']);
  // As the original stored an image: the manifest as its only file, a parent that is nowhere.
  const folder = store.folder.join('old');
  mkdirSync(folder);
  const manifest = Buffer.from(database.manifest.data).toString();
  await pullDatabase(store);
  writeFileSync(`${folder}/manifest.json`, manifest);
  ostree(
    store,
    'commit',
    '--branch=ociimage/old_3Alatest',
    `--tree=dir=${folder}`,
    `--parent=${'0'.repeat(64)}`,
    `--add-metadata-string=docker.manifest=${manifest}`,
    `--add-metadata-string=docker.digest=${database.manifest.digest}`,
  );
  await removeImageNames(store.host, ['database:latest']);
  const pruned = await prune(store);
  expect(pruned.refs).toEqual([]);
  expect(listRefs(store)).toEqual(
    [...new Set([...refsOf(web), ...refsOf(database)]), 'ociimage/cafe_3A1', 'ociimage/old_3Alatest'].sort(),
  );
  expect(ostree(store, 'rev-parse', 'ociimage/cafe_3A1').trim()).toBe(image.commit);
  for (const ref of listRefs(store)) ostree(store, 'ls', '-R', ref);
});

test('refs of the host stay with their history, and unknown refs below ociimage stay with a warning', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullWeb(store);
  const folder = store.folder.join('host');
  mkdirSync(folder);
  for (const version of ['1', '2']) {
    writeFileSync(`${folder}/version`, version);
    ostree(store, 'commit', '--branch=fedora/x86_64/stable', `--tree=dir=${folder}`);
  }
  ostree(store, 'refs', `--create=ociimage/keep-me`, image.commit);
  const refs = `${store.locations.repository}/refs/heads`;
  writeFileSync(`${refs}/ociimage/bad name`, `${image.commit}\n`);
  ostree(store, 'refs', '--alias', '--create=fedora/alias', 'fedora/x86_64/stable');
  await removeImageNames(store.host, ['web:latest']);
  const before = listObjects(store);
  expect(await prune(store)).toEqual(nothing);
  expect(listObjects(store)).toEqual(before);
  expect(ostree(store, 'cat', 'fedora/alias^', '/version')).toBe('1');
  expect(store.events.flatMap((event) => (event.kind === 'warning' ? [event.text] : [])).sort()).toEqual([
    `ociimage/bad name is not the name of an image or a layer; the ref and its objects stay. To remove it: rm '${refs}/ociimage/bad name'`,
    `ociimage/keep-me is not the name of an image or a layer; the ref and its objects stay. To remove it: ostree refs --repo=${store.locations.repository} --delete ociimage/keep-me`,
  ]);
  checkRepository(store);
});

type Damage = (store: Sandbox, pulled: PulledImage) => { path: string; problem: RegExp };
const damages: Readonly<Record<string, Damage>> = {
  'a commit is missing': (store, { image }) => {
    const path = formatObjectPath(store.locations.repository, image.commit, 'commit');
    unlinkSync(path);
    return {
      path,
      problem: /^image web:latest is damaged: reading object [0-9a-f]{64}\.commit: it is missing$/,
    };
  },
  'a directory has become an empty one': (store, { image }) => {
    const path = formatObjectPath(store.locations.repository, readTree(store, image.commit), 'dirtree');
    writeFileSync(path, Buffer.alloc(1));
    return {
      path,
      problem: /^image web:latest is damaged: reading object [0-9a-f]{64}\.dirtree: its checksum is wrong$/,
    };
  },
  'a directory of a layer is missing': (store, { image }) => {
    const ref = `ociimage/${hexOf(image.layerDigests[1] ?? '')}`;
    const path = formatObjectPath(store.locations.repository, readTree(store, ref), 'dirtree');
    unlinkSync(path);
    return {
      path,
      problem:
        /^layer [0-9a-f]{64} of image web:latest is damaged: reading object [0-9a-f]{64}\.dirtree: it is missing$/,
    };
  },
};

test.each(Object.entries(damages))(
  'nothing is freed when %s; the image can be deleted',
  async (_, damage) => {
    await using store = await createStore([registry]);
    await pullDatabase(store);
    const pulled = await pullWeb(store);
    await removeImageNames(store.host, ['database:latest']);
    const { problem } = damage(store, pulled);
    const before = listObjects(store);
    const refs = listRefs(store);
    const error: unknown = await prune(store).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringMatching(problem),
      hint: 'Nothing was freed, because its objects are unknown: delete the image with `atomic images delete -f web:latest` (pull it again afterwards), and repeat the command.',
    });
    expect(listObjects(store)).toEqual(before);
    expect(listRefs(store)).toEqual(refs);

    const names = selectImageNames(listImageNames(store.host), 'web');
    expect(names.map(({ reference }) => reference)).toEqual(['web:latest']);
    await removeImageNames(store.host, ['web:latest']);
    await prune(store);
    expect([...listObjects(store)]).toEqual([]);
    await pullWeb(store);
    checkRepository(store);
  },
);

/** @param commit or a ref; @returns the checksum of its root directory's list */
function readTree(store: Sandbox, commit: string): Checksum {
  return toChecksum(ostree(store, 'ls', '-d', '-C', commit).trim().split(/\s+/)[4] ?? '');
}

test('a damaged ref stops it, and can be deleted', async () => {
  await using store = await createStore([registry]);
  await pullWeb(store);
  writeFileSync(`${store.locations.repository}/refs/heads/ociimage/web_3Alatest`, '');
  await expect(prune(store)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  expect(listImageNames(store.host)).toEqual([
    { reference: 'web:latest', commit: undefined, id: undefined, source: undefined },
  ]);
  await removeImageNames(store.host, ['web:latest']);
  await prune(store);
  expect([...listObjects(store)]).toEqual([]);
});

test('a damaged ref of an unused layer is removed and prevents no pull; one of a used layer stops the prune', async () => {
  await using store = await createStore([registry]);
  await pullWeb(store);
  const refs = `${store.locations.repository}/refs/heads/ociimage`;
  writeFileSync(`${refs}/${'a'.repeat(64)}`, '');
  writeFileSync(`${refs}/${'b'.repeat(64)}`, `${'c'.repeat(64)}\n`);
  await pullLayers(store, registry, [tree`f another 0644 layer`]);
  const [layer = ''] = readdirSync(refs).filter(
    (name) => /^[0-9a-f]{64}$/.test(name) && !/^([ab])\1+$/.test(name),
  );
  const content = readFileSync(`${refs}/${layer}`);
  writeFileSync(`${refs}/${layer}`, '');
  await expect(prune(store)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  writeFileSync(`${refs}/${layer}`, content);
  await prune(store);
  expect(readdirSync(refs)).not.toContain('a'.repeat(64));
  expect(readdirSync(refs)).not.toContain('b'.repeat(64));
});

test('remains of killed commands in the repository are removed, files in use stay', async () => {
  await using store = await createStore([registry]);
  await pullWeb(store);
  const tmp = `${store.locations.repository}/tmp`;
  for (const name of [
    'atomic-scratch-x/blobs',
    'atomic-scratch-dead',
    'atomic-scratch-live',
    'atomic-layers',
    'atomic-waiting',
    'staging-boot-a/00',
    'other',
  ]) {
    mkdirSync(`${tmp}/${name}`, { recursive: true });
  }
  for (const name of [
    'atomic-scratch-x/blobs/1',
    'atomic-layers/ab',
    'atomic-waiting/cd',
    'staging-boot-a-lock',
    'staging-boot-a/00/1.file',
  ]) {
    writeFileSync(`${tmp}/${name}`, '');
  }
  const held = openSync(`${tmp}/atomic-scratch-live`, 'r');
  try {
    expect(tryLock(held, 'exclusive')).toBe(true);
    expect(await prune(store)).toEqual({
      ...nothing,
      leftovers: [
        'atomic-layers',
        'atomic-scratch-dead',
        'atomic-scratch-x',
        'atomic-waiting',
        'staging-boot-a',
        'staging-boot-a-lock',
      ].map((name) => `${tmp}/${name}`),
    });
  } finally {
    closeSync(held);
  }
  expect(readdirSync(tmp).sort()).toEqual(['atomic-scratch-live', 'cache', 'other']);
});

test('refs that a killed program was writing are removed with their objects, also an empty one', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullWeb(store);
  const refs = `${store.locations.repository}/refs/heads/ociimage`;
  writeFileSync(`${refs}/tmp.a1B2c3`, `${image.commit}\n`);
  writeFileSync(`${refs}/tmp.000000`, '');
  await removeImageNames(store.host, ['web:latest']);
  const pruned = await prune(store);
  expect(pruned.leftovers).toEqual([`${refs}/tmp.000000`, `${refs}/tmp.a1B2c3`]);
  expect(pruned.refs).toEqual(refsOf(web).sort());
  expect(readdirSync(refs)).toEqual([]);
  expect([...listObjects(store)]).toEqual([]);
  expect(store.events.filter(({ kind }) => kind === 'warning')).toEqual([]);
});

test('an incomplete commit of another program keeps what is here of it', async () => {
  await using store = await createStore([registry]);
  const folder = store.folder.join('host');
  mkdirSync(`${folder}/sub`, { recursive: true });
  writeFileSync(`${folder}/file`, 'content');
  mkdirSync(store.locations.repository, { recursive: true });
  ostree(store, 'init', '--mode=bare');
  const commit = ostree(store, 'commit', '--branch=partial', `--tree=dir=${folder}`).trim();
  const [, sub = ''] = ostree(store, 'ls', '-C', commit).match(/([0-9a-f]{64}) [0-9a-f]{64} \/sub/) ?? [];
  unlinkSync(formatObjectPath(store.locations.repository, toChecksum(sub), 'dirtree'));
  await expect(prune(store)).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: expect.stringMatching(/^ref partial is damaged/),
  });
  writeFileSync(`${store.locations.repository}/state/${commit}.commitpartial`, '');
  const before = listObjects(store);
  expect(await prune(store)).toEqual(nothing);
  expect(listObjects(store)).toEqual(before);
});

test('a host without a repository gets none', async () => {
  await using store = await createStore([]);
  expect(await prune(store)).toEqual(nothing);
  expect(existsSync(`${store.locations.repository}/config`)).toBe(false);
});

test('a ref is complete or missing, also its replacement', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullWeb(store);
  await pullDatabase(store);
  expect(await tagImage(store.host, image.id.slice(0, 12), 'database')).toEqual({
    image: { ...image, reference: 'database:latest', repository: 'database' },
    replaced: expect.objectContaining({ id: hexOf(database.manifest.digest) }),
  });
  expect(await readImage(store.host, 'database')).toMatchObject({ id: image.id, commit: image.commit });
  expect((await tagImage(store.host, 'web', 'reg.example.com/team/web:2')).replaced).toBeUndefined();
  await expect(tagImage(store.host, 'nothing', 'x')).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    message: 'Cannot find image nothing.',
    exitStatus: 1,
  });
  await expect(tagImage(store.host, 'web', `x@sha256:${'a'.repeat(64)}`)).rejects.toMatchObject({
    code: 'BAD_REFERENCE',
    hint: 'Choose a tag: x:NAME',
  });
  checkRepository(store);
});
