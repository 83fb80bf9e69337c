/**
 * Objects on the disk have the checksums of their names, whatever the archive wrote; `ostree fsck` compares them.
 * Attributes that the kernel changes are stored in its form, and attributes that it refuses are left out; exports still
 * have the original ones.
 */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { toDigest } from '../../../src/image/digest.ts';
import { readRecordedLayer, rebuildArchive } from '../../../src/store/export/rebuild-archive.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { run } from '../../support/run.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import { checkOut, createStore, pullLayers, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const NO_ID = 0xffffffff;
/** An ACL as the kernel gives it to programs: tag, permissions, id. */
function acl(...entries: (readonly [tag: number, permissions: number, id?: number])[]): Buffer {
  const value = Buffer.alloc(4 + 8 * entries.length);
  value.writeUInt32LE(2);
  for (const [index, [tag, permissions, id = NO_ID]] of entries.entries()) {
    value.writeUInt16LE(tag, 4 + 8 * index);
    value.writeUInt16LE(permissions, 6 + 8 * index);
    value.writeUInt32LE(id, 8 + 8 * index);
  }
  return value;
}
const [OWNER, USER, GROUP, MASK, OTHER] = [1, 2, 4, 0x10, 0x20];
const minimal = acl([OWNER, 6], [GROUP, 4], [OTHER, 4]);
const named = acl([OWNER, 6], [USER, 7, 1000], [GROUP, 4], [MASK, 7], [OTHER, 4]);
const capability = (version: number, rootId = ''): Buffer =>
  Buffer.from(`0100000${version}00200000${'00000000'.repeat(version === 1 ? 1 : 3)}${rootId}`, 'hex');
const hex = (value: Buffer): string => `0x${value.toString('hex')}`;

/** What an entry `a` is on the disk. */
const kept: [title: string, entry: Partial<TarEntry>, expected: string][] = [
  ['a symlink of mode 0777', { type: 'symlink', mode: 0o777, linkName: 'x' }, 'l a -> x'],
  ['a symlink of another mode', { type: 'symlink', mode: 0o755, linkName: 'x' }, 'l a -> x'],
  ['two attributes', { xattrs: { 'user.a': '1', 'user.b': '2' } }, 'f a 0644 0:0 "" user.a=0x31 user.b=0x32'],
  [
    'in the other order',
    { xattrs: { 'user.b': '2', 'user.a': '1' } },
    'f a 0644 0:0 "" user.a=0x31 user.b=0x32',
  ],
  [
    'of a directory',
    { type: 'directory', xattrs: { 'user.b': '2', 'user.a': '1' } },
    'd a 0755 0:0 user.a=0x31 user.b=0x32',
  ],
  [
    'an ACL that says no more than the mode',
    { xattrs: { 'system.posix_acl_access': minimal } },
    'f a 0644 0:0 ""',
  ],
  [
    'an ACL that says another mode, which wins, as with podman',
    { mode: 0o4755, xattrs: { 'system.posix_acl_access': minimal } },
    'f a 4644 0:0 ""',
  ],
  [
    'an ACL whose mask is not in the mode',
    { mode: 0o644, xattrs: { 'system.posix_acl_access': named } },
    `f a 0674 0:0 "" system.posix_acl_access=${hex(named)}`,
  ],
  [
    'an ACL with ids where none belong',
    {
      mode: 0o674,
      xattrs: {
        'system.posix_acl_access': acl(
          [OWNER, 6, 0],
          [USER, 7, 1000],
          [GROUP, 4, 5],
          [MASK, 7, 0],
          [OTHER, 4, 9],
        ),
      },
    },
    `f a 0674 0:0 "" system.posix_acl_access=${hex(named)}`,
  ],
  [
    'an ACL of a directory',
    { type: 'directory', mode: 0o755, xattrs: { 'system.posix_acl_access': named } },
    `d a 0674 0:0 system.posix_acl_access=${hex(named)}`,
  ],
  ['an ACL of nothing', { xattrs: { 'system.posix_acl_access': acl() } }, 'f a 0644 0:0 ""'],
  [
    'a capability of version 3 for root',
    { xattrs: { 'security.capability': capability(3, '00000000') } },
    `f a 0644 0:0 "" security.capability=${hex(capability(2))}`,
  ],
  [
    'one for another root',
    { xattrs: { 'security.capability': capability(3, 'e8030000') } },
    `f a 0644 0:0 "" security.capability=${hex(capability(3, 'e8030000'))}`,
  ],
  [
    'a capability of a symlink',
    { type: 'symlink', linkName: 'x', xattrs: { 'security.capability': capability(3, '00000000') } },
    `l a -> x security.capability=${hex(capability(2))}`,
  ],
];

const refused: [title: string, entry: Partial<TarEntry>, expected: string][] = [
  ['of macOS', { xattrs: { 'com.apple.provenance': 'x', 'user.a': '1' } }, 'f a 0644 0:0 "" user.a=0x31'],
  ['of macOS at a directory', { type: 'directory', xattrs: { 'com.apple.quarantine': 'x' } }, 'd a 0755 0:0'],
  ['an ACL of NFS', { xattrs: { 'system.nfs4_acl': 'x' } }, 'f a 0644 0:0 ""'],
  ['without namespace', { xattrs: { weird: '1' } }, 'f a 0644 0:0 ""'],
  ['without value', { xattrs: { 'user.a': '' } }, 'f a 0644 0:0 ""'],
  ['without value at a directory', { type: 'directory', xattrs: { 'user.a': '' } }, 'd a 0755 0:0'],
  ['with half a name', { xattrs: { 'user.': 'x' } }, 'f a 0644 0:0 ""'],
  ['with a long name', { xattrs: { [`user.${'n'.repeat(251)}`]: 'x' } }, 'f a 0644 0:0 ""'],
  ['of users at a symlink', { type: 'symlink', linkName: 'x', xattrs: { 'user.a': '1' } }, 'l a -> x'],
  ['a default ACL of a file', { xattrs: { 'system.posix_acl_default': named } }, 'f a 0644 0:0 ""'],
  ['a malformed ACL', { xattrs: { 'system.posix_acl_access': acl([OWNER, 9]) } }, 'f a 0644 0:0 ""'],
  ['a capability of version 1', { xattrs: { 'security.capability': capability(1) } }, 'f a 0644 0:0 ""'],
  ['of 70,000 bytes', { xattrs: { 'user.a': Buffer.alloc(70_000, 'x') } }, 'f a 0644 0:0 ""'],
];

test('attributes are stored in the form of the kernel', async () => {
  await using store = await createStore([registry]);
  expect(
    await storeAndDescribe(
      store,
      kept.map(([, entry]) => entry),
    ),
  ).toEqual(nameEach(kept.map((row) => row[2])));
  expect(listWarnings(store)).toEqual([]);
  checkRepository(store);
});

test('attributes that the kernel refuses are left out, and a warning counts them', async () => {
  await using store = await createStore([registry]);
  const tree = await storeAndDescribe(
    store,
    refused.map(([, entry]) => entry),
  );
  expect(tree).toEqual(nameEach(refused.map((row) => row[2])));
  expect(listWarnings(store)).toEqual([
    expect.stringMatching(
      /^left out 13 extended attributes of files, which .*: user\.a \(4\), .*, others \(5\)$/,
    ),
  ]);
  checkRepository(store);
});

test('one warning for all layers counts the attributes, the frequent ones first', async () => {
  await using store = await createStore([registry]);
  const apple = { 'com.apple.provenance': 'x' };
  const many = Array.from({ length: 7 }, (_, index) => ({
    path: `m${index}`,
    xattrs: { [`odd${index}`]: 'x' },
  }));
  await pullLayers(store, registry, [
    [
      { path: 'a', content: '1', xattrs: apple },
      { path: 'b', content: '2', xattrs: apple },
    ],
    [{ path: 'c', type: 'directory', xattrs: apple }, ...many],
  ]);
  expect(listWarnings(store)).toEqual([
    'left out 10 extended attributes of files, which the kernel does not take on the filesystem of the image store: com.apple.provenance (3), odd0 (1), odd1 (1), odd2 (1), odd3 (1), others (3)',
  ]);
  checkRepository(store);
});

test('on another filesystem, and in a repository without root, objects are sound too, and the warning may name more', async () => {
  const entries = [...kept, ...refused].map(
    ([, entry], index): TarEntry => ({ path: `a${index}`, ...entry }),
  );
  const containers = { insecure: [registry.address] };
  await using store = await createSandbox({ containers });
  mkdirSync(store.locations.checkouts, { recursive: true });
  run(['mount', '-t', 'tmpfs', 'tmpfs', store.locations.checkouts]);
  try {
    await pullLayers(store, registry, [entries]);
    checkRepository(store);
    expect(listWarnings(store)).toHaveLength(1);
  } finally {
    run(['umount', store.locations.checkouts]);
  }
  await using user = await createSandbox({ containers, repositoryMode: 'bare-user' });
  await pullLayers(user, registry, [
    [...entries, { path: 'z', xattrs: { 'user.a': Buffer.alloc(5000, 'x'), 'user.b': '1' } }],
  ]);
  checkRepository(user);
});

/** @returns the tree of an image of entries `a0`, `a1` and so on, whose layer comes out again byte for byte */
async function storeAndDescribe(store: Sandbox, entries: readonly Partial<TarEntry>[]): Promise<string[]> {
  const tar = buildTar(entries.map((entry, index) => ({ path: `a${index}`, ...entry })));
  const pulled = await pullLayers(store, registry, [{ tar }]);
  const hash = createHash('sha256');
  const layer = readRecordedLayer(store.host, toDigest(pulled.image.layerDigests[0] ?? ''));
  for await (const chunk of rebuildArchive(store.host, layer)) hash.update(chunk);
  expect(hash.digest('hex')).toBe(createHash('sha256').update(tar).digest('hex'));
  return describeTree(await checkOut(store, pulled));
}

function nameEach(expected: readonly string[]): string[] {
  const lines = expected.map((line, index) => line.replace(/^(.) a /, `$1 a${index} `));
  return ['d . 0755 0:0', ...lines].sort();
}

function listWarnings(store: Sandbox): string[] {
  return store.events.flatMap((event) => (event.kind === 'warning' ? [event.text] : []));
}
