import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Checksum, computeChecksum, toChecksum } from '../../../src/image/checksum.ts';
import { formatObjectPath, readCommit, readDirTree } from '../../../src/ostree/object-files.ts';
import { formatCommitPieces, formatDirTree } from '../../../src/ostree/ostree-objects.ts';
import { checkoutImage } from '../../../src/store/checkout/checkout.ts';
import { linkOrCopy } from '../../../src/store/layer/link-or-copy.ts';
import { checksumPath } from '../../../src/store/verify/checksum-path.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { checkRepository, inodeOf } from '../../support/store/ostree-cli.ts';
import { mountSmallDisk, run } from '../../support/store/small-disk.ts';
import { checkOut, createStore, pullLayers, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import type { TarEntry } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

test('a destination that exists is not touched', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f etc/name 0644 etcd`]);
  const destination = store.folder.join('taken');
  mkdirSync(destination);
  writeFileSync(`${destination}/precious`, '1');
  expect(checkoutImage(store.host, image.commit, destination)).rejects.toMatchObject({
    code: 'STORE_FAILED',
  });
  expect(existsSync(`${destination}/etc`)).toBe(false);
});

test('an unknown commit', async () => {
  await using store = await createStore([registry]);
  await pullLayers(store, registry, [tree`f etc/name 0644 etcd`]);
  await expect(
    checkoutImage(store.host, toChecksum('0'.repeat(64)), store.folder.join('root')),
  ).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: `reading object ${'0'.repeat(64)}.commit: it is missing`,
  });
});

test('another filesystem is an error with a hint, never a copy', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f etc/name 0644 etcd`]);
  const other = store.folder.join('other');
  mkdirSync(other);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', other], { timeout: 10_000 });
  expect(mounted.status).toBe(0);
  try {
    expect(
      await checkoutImage(store.host, image.commit, `${other}/root`).catch((error) => error),
    ).toMatchObject({
      code: 'CROSS_DEVICE',
      hint: 'Containers are hard links into the repository: put both on one filesystem (checkout_path and ostree_repository in /etc/atomic.conf).',
    });
    expect(existsSync(`${other}/root/etc/name`)).toBe(false);
  } finally {
    spawnSync('umount', [other], { timeout: 10_000 });
  }
});

test('another mount of the same filesystem is one as well: the kernel links nothing across', async () => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [tree`f etc/name 0644 etcd`]);
  const other = store.folder.join('other');
  mkdirSync(other);
  run('mount', '--bind', other, other);
  try {
    await expect(checkoutImage(store.host, image.commit, `${other}/root`)).rejects.toMatchObject({
      code: 'CROSS_DEVICE',
    });
    expect(existsSync(`${other}/root`)).toBe(false);
  } finally {
    run('umount', other);
  }
});

test('a file that has all links that the filesystem allows is copied, and so is a symlink', async () => {
  await using store = await createStore([registry]);
  await using disk = mountSmallDisk(store);
  const xattrs = { 'user.kind': 'equal', 'security.capability': CAPABILITY };
  const files = ['a', 'b', 'c'].flatMap((name): TarEntry[] => [
    { path: `d/${name}`, content: 'equal', mode: 0o4755, uid: 7, gid: 8, xattrs },
    { path: `d/l${name}`, type: 'symlink', linkName: 'equal', mode: 0o777 },
  ]);
  const { image } = await pullLayers(store, registry, [files]);
  const { repository } = store.locations;
  const [d] = readDirTree(repository, readCommit(repository, image.commit).dirtree).directories;
  const objects = [
    ...new Set(readDirTree(repository, toChecksum(d?.dirtree ?? '')).files.map(({ checksum }) => checksum)),
  ];
  expect(objects).toHaveLength(2);
  useUpLinks(
    store,
    objects.map((object) => formatObjectPath(repository, object, 'file')),
    2,
  );
  const root = `${disk.path}/root`;
  await checkoutImage(store.host, image.commit, root);
  const line = `4755 7:8 "equal" security.capability=0x${CAPABILITY.toString('hex')} user.kind=0x657175616c`;
  expect(describeTree(root)).toEqual([
    ...['d . 0755 0:0', 'd d 0755 0:0'],
    ...['a', 'b', 'c'].map((name) => `f d/${name} ${line}`),
    ...['a', 'b', 'c'].map((name) => `l d/l${name} -> equal`),
  ]);
  const inodes = (prefix: string): number =>
    new Set(['a', 'b', 'c'].map((name) => inodeOf(`${root}/d/${prefix}${name}`))).size;
  expect([inodes(''), inodes('l')]).toEqual([2, 2]);
  for (const object of objects) {
    const again = `${disk.path}/again-${object}`;
    await linkOrCopy(formatObjectPath(repository, object, 'file'), again);
    expect(await checksumPath(again)).toBe(object);
  }
  for (const name of ['a', 'b', 'c']) expect(objects).toContain(await checksumPath(`${root}/d/${name}`));
  checkRepository(store);
});

test.each(['..', '../out', '/etc/out', '.', ''])(
  'a name that no file can have, %j, is damage',
  async (name) => {
    await using store = await createStore([registry]);
    const { image } = await pullLayers(store, registry, [tree`f plain 0644 1`]);
    const { repository } = store.locations;
    const { dirtree, ...commit } = readCommit(repository, image.commit);
    const [file] = readDirTree(repository, dirtree).files;
    for (const odd of [
      { files: [{ name, checksum: toChecksum(file?.checksum ?? '') }], directories: [] },
      { files: [], directories: [{ name, dirtree, dirmeta: commit.dirmeta }] },
    ]) {
      const object = writeObject(repository, 'dirtree', formatDirTree(odd));
      const pieces = [...formatCommitPieces({ ...commit, dirtree: object })].map((piece) =>
        Buffer.from(piece),
      );
      const destination = store.folder.join('root');
      await expect(
        checkoutImage(store.host, writeObject(repository, 'commit', Buffer.concat(pieces)), destination),
      ).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: `reading object ${object}.dirtree: it has a name that no file can have`,
      });
      expect(existsSync(destination)).toBe(false);
    }
  },
);

function writeObject(repository: string, kind: 'dirtree' | 'commit', data: Buffer): Checksum {
  const checksum = computeChecksum(data);
  const path = formatObjectPath(repository, checksum, kind);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
  return checksum;
}

test.each([
  ['files', (index: number): TarEntry => ({ path: `f${index}`, content: '1' })],
  ['directories', (index: number): TarEntry => ({ path: `f${index}`, type: 'directory' })],
] as const)('an interruption ends a checkout between two %s', async (_, build) => {
  await using store = await createStore([registry]);
  const entries = Array.from({ length: 2500 }, (__, index) => build(index));
  const { image } = await pullLayers(store, registry, [entries]);
  const destination = store.folder.join('root');
  store.interrupt();
  await expect(checkoutImage(store.host, image.commit, destination)).rejects.toMatchObject({
    code: 'INTERRUPTED',
  });
  expect(readdirSync(destination).length).toBeLessThan(entries.length);
});

test('directories have the time 0, as those of libostree', async () => {
  await using store = await createStore([registry]);
  const root = await checkOut(store, await pullLayers(store, registry, [tree`f etc/name 0644 etcd`]));
  for (const path of [root, `${root}/etc`]) expect(statSync(path).mtimeMs).toBe(0);
});

test('directories do not inherit the default ACL of those above them', async () => {
  await using store = await createStore([registry]);
  const ours = aclOf(1000);
  const { image } = await pullLayers(store, registry, [
    [
      { path: 'd', type: 'directory', mode: 0o755, xattrs: { 'system.posix_acl_default': aclOf(1000) } },
      { path: 'd/plain/deep', type: 'directory', mode: 0o2750 },
      { path: 'd/own', type: 'directory', mode: 0o755, xattrs: { 'system.posix_acl_default': aclOf(2000) } },
      { path: 'd/plain/f', content: 'x' },
    ],
  ]);
  expect(describeTree(await checkOut(store, { image }))).toEqual([
    'd . 0755 0:0',
    `d d 0755 0:0 system.posix_acl_default=0x${ours.toString('hex')}`,
    `d d/own 0755 0:0 system.posix_acl_default=0x${aclOf(2000).toString('hex')}`,
    'd d/plain 0755 0:0',
    'd d/plain/deep 2750 0:0',
    'f d/plain/f 0644 0:0 "x"',
  ]);
});

/** An ACL in which a user may do everything. */
function aclOf(user: number): Buffer {
  const entry = (tag: string, permissions: string, id = 'ffffffff'): string =>
    `${tag}00${permissions}00${id}`;
  const id = Buffer.alloc(4);
  id.writeUInt32LE(user);
  const entries = [
    entry('01', '07'),
    entry('02', '07', id.toString('hex')),
    entry('04', '05'),
    entry('10', '07'),
    entry('20', '05'),
  ];
  return Buffer.from(`02000000${entries.join('')}`, 'hex');
}

/** Has ext4 believe that files of the store have all links but `left`, without making them. */
function useUpLinks(store: Sandbox, files: readonly string[], left: number): void {
  const { checkouts } = store.locations;
  const disk = store.folder.join('disk');
  run('umount', checkouts);
  for (const file of files) {
    const path = file.slice(checkouts.length);
    run('debugfs', '-w', '-R', `set_inode_field ${path} links_count ${65_000 - left}`, disk);
  }
  run('mount', '-o', 'loop', disk, checkouts);
}

test.each(['dirtree', 'dirmeta'] as const)('a damaged %s is not read as an empty folder', async (kind) => {
  await using store = await createStore([registry]);
  const { image } = await pullLayers(store, registry, [
    tree`
      d etc 0700
      f etc/name 0644 1
    `,
  ]);
  const { repository } = store.locations;
  const etc = readDirTree(repository, readCommit(repository, image.commit).dirtree).directories[0];
  truncateSync(formatObjectPath(repository, toChecksum(etc?.[kind] ?? ''), kind), 0);
  const destination = store.folder.join('root');
  await expect(checkoutImage(store.host, image.commit, destination)).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: `reading object ${etc?.[kind]}.${kind}: its checksum is wrong`,
    hint: 'See what is damaged, and repair it: atomic images verify --repair',
  });
  expect(existsSync(destination)).toBe(false);
});
