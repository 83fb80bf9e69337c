/** Objects that are written beside libostree are the ones that it would have written. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { hash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { toChecksum } from '../../../src/image/checksum.ts';
import { LayerTreeBuilder } from '../../../src/ostree/layer-tree.ts';
import { readCommit } from '../../../src/ostree/object-files.ts';
import { withRepository } from '../../../src/ostree/repository.ts';
import { withTransaction } from '../../../src/ostree/transaction.ts';
import { FileWorker } from '../../../src/store/layer/file-worker.ts';
import { ObjectStage } from '../../../src/store/layer/object-stage.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { checkRepository, listFileObjects, ostree } from '../../support/store/ostree-cli.ts';
import { checkOut, createStore, pullLayers, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

/** Every directory is named, because libostree gives those that are not another owner; xattrs are in its order. */
const everything = tree`
  d ./ 0755
  d usr 0755
  d usr/bin 0711 @3:4
  f usr/bin/tool 04755 @0:5 ${Buffer.alloc(3_000_000, 'tool')}
  f usr/bin/small 0640 @1000:4294967294 hello
  f usr/empty 0000
  x usr/bin/small user.origin=test
  x usr/bin user.directory=also
  l usr/lib -> ../lib64
  h usr/bin/hard => usr/bin/small
  f usr/same 0640 @1000:4294967294 hello
`;

test('the tree of a layer has the checksums of an import by libostree', async () => {
  await using store = await createStore([registry]);
  const tar = buildTar(everything);
  const pulled = await pullLayers(store, registry, [{ tar }]);
  const archive = store.folder.join('layer.tar');
  writeFileSync(archive, tar);
  const theirs = toChecksum(ostree(store, 'commit', '--branch=theirs', `--tree=tar=${archive}`).trim());
  const { repository } = store.locations;
  const ref = `ociimage/${pulled.fetched[0]?.slice('sha256:'.length)}`;
  const layer = toChecksum(ostree(store, 'rev-parse', ref).trim());
  const { dirtree, dirmeta } = readCommit(repository, theirs);
  expect(readCommit(repository, layer)).toMatchObject({ dirtree, dirmeta });
  // The time too, which is in no checksum.
  const files = listFileObjects(store).filter((path) => lstatSync(path).isFile());
  expect(files.map((path) => lstatSync(path).mtimeMs)).toEqual(files.map(() => 0));
  checkRepository(store);
});

test('a layer of many directories has them, also where the archive came back to one', async () => {
  await using store = await createStore([registry]);
  const folders = Array.from({ length: 40 }, (_, index) => `usr/${index % 7}/lib-${index}`);
  const files = (round: number) =>
    folders.flatMap((folder) =>
      Array.from({ length: 60 }, (_, index) => ({
        path: `${folder}/${round}-${index}`,
        content: `${round}`,
      })),
    );
  const links = folders.map((folder, index) => ({
    path: `${folder}/hard`,
    type: 'hardlink' as const,
    linkName: `${folders.at(-index)}/0-7`,
  }));
  const entries = [...files(0), ...links, ...files(1)];
  const pulled = await pullLayers(store, registry, [entries]);
  const root = await checkOut(store, pulled);
  const expected = entries.map(({ path }) => [path, path.includes('/1-') ? '1' : '0']);
  expect(entries.map(({ path }) => [path, readFileSync(`${root}/${path}`, 'utf8')])).toEqual(expected);
  checkRepository(store);
});

test('a symlink in a repository of the mode bare-user is the file that libostree makes of it', async () => {
  await using ours = await createStore([registry], { repositoryMode: 'bare-user' });
  await using theirs = await createStore([registry], { repositoryMode: 'bare-user' });
  const tar = buildTar(tree`
    d ./ 0755
    l usr -> ../target
    f file 04750 @3:4 text
  `);
  await pullLayers(ours, registry, [{ tar }]);
  const archive = theirs.folder.join('layer.tar');
  writeFileSync(archive, tar);
  mkdirSync(theirs.locations.repository, { recursive: true });
  ostree(theirs, 'init', '--mode=bare-user');
  ostree(theirs, 'commit', '--branch=theirs', `--tree=tar=${archive}`);
  const expected = describeFileObjects(theirs);
  expect(expected.length).toBe(2);
  expect(describeFileObjects(ours)).toEqual(expect.arrayContaining(expected));
});

function describeFileObjects(store: Sandbox): unknown[] {
  return listFileObjects(store).map((path) => ({
    name: basename(path),
    mode: lstatSync(path).mode,
    changed: lstatSync(path).mtimeMs,
    content: readFileSync(path, 'latin1'),
  }));
}

test('an object that is there is not written again', async () => {
  await using store = await createStore([registry]);
  await pullLayers(store, registry, [everything]);
  const before = listFileObjects(store).map((path) => [path, lstatSync(path).ino]);
  const image = buildImage({ layers: [[...everything, ...tree`f other 0644 1`]] });
  await pullImage(store.host, await pushImage(registry, 'stage/again', image), {});
  const after = new Map(listFileObjects(store).map((path) => [path, lstatSync(path).ino]));
  expect(before.filter(([path, inode]) => after.get(String(path)) !== inode)).toEqual([]);
  // The file, and the configuration.
  expect(after.size).toBe(before.length + 2);
});

test.each([
  [
    'has another name in it',
    (data: Buffer) => Buffer.from(data.toString('latin1').replace('shadow', 'Shadow'), 'latin1'),
  ],
  ['is cut short', (data: Buffer) => data.subarray(0, -1)],
  ['is empty', () => Buffer.alloc(0)],
])('a directory of the repository that %s is written again, and does not spread', async (_, damage) => {
  await using store = await createStore([registry]);
  const { repository } = store.locations;
  const files = ['etc/passwd', 'etc/shadow', 'usr/bin/tool'];
  await buildTree(store, files);
  const sound = listDirTrees(repository);
  for (const [path, data] of sound) if (data.includes('shadow')) writeFileSync(path, damage(data));
  await buildTree(store, [...files, 'etc/group']);
  const after = listDirTrees(repository);
  expect([...after].filter(([path]) => sound.has(path))).toEqual([...sound]);
  for (const [path, data] of after)
    expect(path).toEndWith(`/${hash('sha256', data, 'hex').slice(2)}.dirtree`);
});

/** Builds a tree of equal files that comes back to directories it has left, in a transaction of its own. */
async function buildTree(store: Sandbox, paths: readonly string[]): Promise<void> {
  await withRepository(store.host, async (repo) => {
    using worker = new FileWorker();
    await withTransaction(store.host, repo, 'building a tree', async () => {
      const stage = new ObjectStage(store.locations, 5_000_000, worker);
      const builder = new LayerTreeBuilder(stage, 1);
      const writer = stage.beginFile({ uid: 0, gid: 0, mode: 0o100644, xattrs: [] });
      const checksum = writer.finish();
      for (const path of paths) builder.addFile(path, checksum);
      builder.finish();
      await stage.finish();
    });
  });
}

function listDirTrees(repository: string): Map<string, Buffer> {
  const names = readdirSync(`${repository}/objects`, { recursive: true, encoding: 'utf8' });
  const paths = names
    .filter((name) => name.endsWith('.dirtree'))
    .map((name) => `${repository}/objects/${name}`);
  return new Map(paths.sort().map((path) => [path, readFileSync(path)]));
}

test('a file that is given up leaves nothing, and what does not fit is refused', async () => {
  await using store = await createStore([registry]);
  await withRepository(store.host, async (repo) => {
    const { abortTransaction, beginTransaction } = await import('../../../src/native/ostree.ts');
    beginTransaction(repo);
    using worker = new FileWorker();
    const stage = new ObjectStage(store.locations, 5_000_000, worker);
    const meta = { uid: 0, gid: 0, mode: 0o100644, xattrs: [] };
    const given = stage.beginFile(meta);
    given.write(Buffer.alloc(2_000_000));
    given.abandon();
    const large = stage.beginFile(meta);
    expect(() => large.write(Buffer.alloc(4_000_000))).toThrow('No space left');
    large.abandon();
    const tmp = `${store.locations.repository}/tmp`;
    const staging = readdirSync(tmp).find((name) => name.startsWith('staging-') && !name.endsWith('-lock'));
    expect(readdirSync(`${tmp}/${staging}`)).toEqual([]);
    abortTransaction(repo);
  });
});

test('without a transaction there is no stage', async () => {
  await using store = await createStore([registry]);
  await withRepository(store.host, async () => {
    expect(() => new ObjectStage(store.locations, 1, new FileWorker())).toThrow('0 staging folders');
  });
});
