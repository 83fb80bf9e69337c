import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { unlinkSync } from 'node:fs';
import fc from 'fast-check';
import { formatDiff } from '../../../src/commands/roots/diff-view.ts';
import { diffRoots } from '../../../src/containers/diff.ts';
import { type Checksum, toChecksum } from '../../../src/image/checksum.ts';
import { formatObjectPath, readCommit, readDirTree } from '../../../src/ostree/object-files.ts';
import { compareCommits } from '../../../src/store/compare-commits.ts';
import type { FileChange } from '../../../src/store/file-change.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { randomLayers } from '../../support/store/random-layers.ts';
import {
  checkOut,
  createStore,
  pullLayers,
  pushNew,
  TEST_TIMEOUT_MS,
} from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const netRaw = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const before = tree`
  d bin 0755
  f bin/ping 0755 ping
  f bin/su 0755 su
  f bin/tool 0644 1234
  f bin/two 0644 1234
  l bin/sh -> busybox
  d etc 0755
  f etc/gone 0600 x
  f etc/owner 0644 same
  f etc/attribute 0644 same
  x etc/attribute user.origin=1
  d etc/folder 0755
  d same 0755
  f same/file 0644 same
  d type 0755
  f type/below 0644 x
`;
const after = tree`
  d bin 0755
  f bin/ping 0755 ping
  x bin/ping security.capability=${netRaw}
  f bin/su 04755 su
  f bin/tool 0644 5678
  f bin/two 0755 5678
  l bin/sh -> dash
  d etc 0755
  f etc/owner 0640 @1000:5 same
  f etc/attribute 0644 same and more
  x etc/attribute user.origin=2
  d etc/folder 0700 @1:1
  x etc/folder user.mark=1
  d new 0755
  f new/file 02755 @0:7 new
  d same 0755
  f same/file 0644 same
  f type 0644 now a file
`;

const expected = `C /bin/ping  (capabilities none -> cap_net_raw=ep)
C /bin/sh  (target busybox -> dash)
C /bin/su  (mode 0755 -> 4755)
C /bin/tool  (content)
C /bin/two  (mode 0644 -> 0755, content)
C /etc/attribute  (xattr user.origin changed, size 4 -> 13, content)
C /etc/folder  (mode 0755 -> 0700, owner 0:0 -> 1:1, xattr user.mark added)
D /etc/gone
C /etc/owner  (mode 0644 -> 0640, owner 0:0 -> 1000:5)
A /new
A /new/file
C /type  (type directory -> file, mode 0755 -> 0644)
D /type/below

New privileges:
  /bin/ping  cap_net_raw=ep
  /bin/su  setuid 0
  /new/file  setgid 7

2 added, 2 removed, 9 changed
`;

test.each(['bare', 'bare-user'] as const)(
  'two images in a repository of the mode %s',
  async (repositoryMode) => {
    await using store = await createStore([registry], { repositoryMode });
    const old = await pushNew(registry, { layers: [before] });
    const { id } = (await pullImage(store.host, old, {})).image;
    const now = await pushNew(registry, { layers: [after] });
    await pullImage(store.host, now, {});
    const { changes, ...roots } = await diffRoots(store.host, id.slice(0, 12), now);
    expect(formatDiff(changes)).toBe(expected);
    expect(roots).toMatchObject({
      before: { kind: 'image', name: old, id },
      after: { kind: 'image', name: now },
    });
    expect((await diffRoots(store.host, old, old)).changes).toEqual([]);
  },
);

test('an unknown name', async () => {
  await using store = await createStore([registry]);
  expect(diffRoots(store.host, 'nothing', 'nothing')).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    message: "Could not find any image matching 'nothing'",
  });
});

test('a damaged repository is an error, not a difference', async () => {
  await using store = await createStore([registry]);
  const { repository } = store.locations;
  const a = (await pullLayers(store, registry, [tree`f file 0644 1`])).image.commit;
  const b = (await pullLayers(store, registry, [tree`f file 0644 2`])).image.commit;
  const [file] = readDirTree(repository, readCommit(repository, b).dirtree).files;
  unlinkSync(formatObjectPath(repository, toChecksum(file?.checksum ?? ''), 'file'));
  expect(compareCommits(store.host, a, b)).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: `reading object ${file?.checksum}.file: it is missing`,
  });
});

test('content that differs at its end only is found, and an interruption ends the reading', async () => {
  await using store = await createStore([registry]);
  const [old, now] = [Buffer.alloc(3 * 1024 * 1024), Buffer.alloc(3 * 1024 * 1024)];
  now[now.length - 1] = 1;
  const a = (await pullLayers(store, registry, [tree`f file 0644 ${old}`, tree`f same 0644 ${old}`])).image;
  const b = (await pullLayers(store, registry, [tree`f file 0600 ${now}`, tree`f same 0600 ${old}`])).image;
  const changes = await compareCommits(store.host, a.commit, b.commit);
  expect(formatDiff(changes)).toBe(
    'C /file  (mode 0644 -> 0600, content)\nC /same  (mode 0644 -> 0600)\n\n0 added, 0 removed, 2 changed\n',
  );
  const interrupted = compareCommits(store.host, a.commit, b.commit);
  // Behind the turn in which the comparison begins.
  setImmediate(() => store.interrupt());
  expect(await interrupted.catch((error: unknown) => error)).toMatchObject({ code: 'INTERRUPTED' });
});

/** What a walk over two checkouts finds, for each path only whether it is new, gone or not the same. */
function compareLines(before: readonly string[], after: readonly string[]): string[] {
  const byPath = (lines: readonly string[]) => new Map(lines.map((line) => [pathOf(line), line]));
  const [old, now] = [byPath(before), byPath(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => `${!old.has(path) ? 'added' : now.has(path) ? 'changed' : 'removed'} ${path}`)
    .sort();
}

/** Behind the letter stands the path, which may hold blanks, then a mode or a target. */
function pathOf(line: string): string {
  const path = line.slice(2).replace(/ (?:[0-7]{4} \d+:\d+.*|-> .*)$/s, '');
  return path === '.' ? '/' : `/${path}`;
}

test('finds what a walk over two checkouts finds', async () => {
  await using store = await createStore([registry]);
  const images = fc.array(randomLayers, { minLength: 4, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(images, async (layersOfAll) => {
      const pulled: { commit: Checksum; lines: string[] }[] = [];
      for (const layers of layersOfAll) {
        const { image } = await pullLayers(store, registry, layers);
        pulled.push({ commit: image.commit, lines: describeTree(await checkOut(store, { image })) });
      }
      const pairs = pulled.flatMap((old, index) => pulled.slice(index + 1).map((now) => [old, now] as const));
      for (const [old, now] of pairs) {
        const found = await compareCommits(store.host, old.commit, now.commit);
        const lines = found.map(({ kind, path }: FileChange) => `${kind} ${path}`);
        expect(lines.sort()).toEqual(compareLines(old.lines, now.lines));
      }
    }),
    // A pull takes most of the time, hence all pairs of a few images.
    { numRuns: 1, endOnFailure: true },
  );
});
