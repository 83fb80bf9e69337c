/**
 * Images that try to write outside their root through symlinks: of another layer, or of their own. Layer over layer
 * on a filesystem, `evil -> /etc` and then `evil/passwd` would replace a file of the host.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import {
  checkOut,
  createStore,
  pullLayers,
  pushNew,
  TEST_TIMEOUT_MS,
} from '../../support/store/store-fixture.ts';
import type { TarEntry } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';
import { diffSnapshots, takeSnapshot } from '../../support/tree-snapshot.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

/** @param out absolute path of a folder outside the image */
type Attack = (out: string) => (readonly TarEntry[])[];

const attacks: [title: string, layers: Attack, expected: string[]][] = [
  [
    'a lower symlink, an upper directory of that name with a file',
    (out) => [
      tree`l evil -> ${out}`,
      tree`
        d evil 0755
        f evil/passwd 0644 owned
      `,
    ],
    ['d . 0755 0:0', 'd evil 0755 0:0', 'f evil/passwd 0644 0:0 "owned"'],
  ],
  [
    'a lower symlink, an upper file below it whose directory is only implied',
    (out) => [tree`l evil -> ${out}`, tree`f evil/passwd 0644 owned`],
    ['d . 0755 0:0', 'd evil 0755 0:0', 'f evil/passwd 0644 0:0 "owned"'],
  ],
  [
    'a relative symlink that climbs above the root',
    (out) => [tree`l evil -> ${`../../../../../../../../../..${out}`}`, tree`f evil/passwd 0644 owned`],
    ['d . 0755 0:0', 'd evil 0755 0:0', 'f evil/passwd 0644 0:0 "owned"'],
  ],
  [
    'a chain of symlinks over three layers',
    (out) => [
      tree`
        d a 0755
        l a/b -> ../c
        l c -> ${out}
      `,
      tree`l a/b -> ../c`,
      tree`f a/b/passwd 0644 owned`,
    ],
    ['d . 0755 0:0', 'd a 0755 0:0', 'd a/b 0755 0:0', 'f a/b/passwd 0644 0:0 "owned"', 'l c -> OUT'],
  ],
  [
    'whiteouts below a symlink',
    (out) => [
      tree`l evil -> ${out}`,
      tree`
        d evil 0755
        w evil/passwd
        o evil
      `,
    ],
    ['d . 0755 0:0', 'd evil 0755 0:0'],
  ],
  [
    'a symlink in the place of a file that a later layer writes',
    (out) => [tree`l passwd -> ${`${out}/passwd`}`, tree`f passwd 0644 owned`],
    ['d . 0755 0:0', 'f passwd 0644 0:0 "owned"'],
  ],
  [
    'a hard link to a symlink that leads out',
    (out) => [
      tree`
        l evil -> ${`${out}/passwd`}
        h again => evil
      `,
      tree`f again 0644 owned`,
    ],
    ['d . 0755 0:0', 'f again 0644 0:0 "owned"', 'l evil -> OUT/passwd'],
  ],
  [
    'a file below a symlink of the same archive that climbs above the root',
    () => [
      tree`
        l evil -> ../../../../../../../../../../etc
        f evil/passwd 0644 inside
      `,
    ],
    [
      'd . 0755 0:0',
      'd etc 0755 0:0',
      'f etc/passwd 0644 0:0 "inside"',
      'l evil -> ../../../../../../../../../../etc',
    ],
  ],
  [
    'a directory over a symlink of the same archive, and a file in it',
    (out) => [
      tree`
        l evil -> ${out}
        d evil 0755
        f evil/passwd 0644 inside
      `,
    ],
    ['d . 0755 0:0', 'd evil 0755 0:0', 'f evil/passwd 0644 0:0 "inside"'],
  ],
  [
    'a hard link through a symlink',
    () => [
      tree`
        l evil -> /etc
        f evil/passwd 0644 inside
        h again => evil/passwd
        w evil/shadow
      `,
    ],
    [
      ...['d . 0755 0:0', 'd etc 0755 0:0', 'f again 0644 0:0 "inside"', 'f etc/passwd 0644 0:0 "inside"'],
      'l evil -> /etc',
    ],
  ],
];

test.each(attacks)('%s', async (_, attack, expected) => {
  await using store = await createStore([registry]);
  const out = store.folder.join('outside');
  mkdirSync(out);
  writeFileSync(`${out}/passwd`, 'precious');
  const before = takeSnapshot(out);
  const pulled = await pullLayers(store, registry, attack(out));
  const lines = describeTree(await checkOut(store, pulled));
  expect(lines.map((line) => line.replace(out, 'OUT'))).toEqual([...expected].sort());
  expect(diffSnapshots(before, takeSnapshot(out))).toEqual([]);
  checkRepository(store);
});

const refused: [title: string, layer: (out: string) => readonly TarEntry[]][] = [
  ['a name with ".."', (out) => [{ path: `../../../../../../../..${out}/passwd`, content: 'owned' }]],
  ['a name with ".." in the middle', () => [{ path: 'a/../../b', content: 'owned' }]],
];

test.each(refused)('refused: %s', async (_, layer) => {
  await using store = await createStore([registry]);
  const out = store.folder.join('outside');
  mkdirSync(out);
  writeFileSync(`${out}/passwd`, 'precious');
  const before = takeSnapshot(out);
  expect((await failedPull(store, await pushNew(registry, { layers: [layer(out)] }))).code).toBe(
    'LAYER_REJECTED',
  );
  expect(diffSnapshots(before, takeSnapshot(out))).toEqual([]);
});
