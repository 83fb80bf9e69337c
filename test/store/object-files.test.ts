/** A repository that a crash, a full disk or a person has damaged: the error is clear, and an answer is never wrong. */

import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { readImageInfo } from '../../src/containers/prepare/read-image-info.ts';
import { repairImages } from '../../src/containers/verify/repair-images.ts';
import { toChecksum } from '../../src/image/checksum.ts';
import { toDigest } from '../../src/image/digest.ts';
import type { StoredImage } from '../../src/image/image.ts';
import { formatImageRef } from '../../src/image/ref-name.ts';
import {
  findRef,
  formatObjectPath,
  listRefNames,
  readCommit,
  readDirTree,
} from '../../src/ostree/object-files.ts';
import { readImage } from '../../src/store/find-image.ts';
import { openImageTree } from '../../src/store/image-files.ts';
import { listImages } from '../../src/store/list-images.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { findImage } from '../support/store/find-by-name.ts';
import { checkRepository, ostree } from '../support/store/ostree-cli.ts';
import { createStore, pushNew, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const REPAIR_HINT = 'See what is damaged, and repair it: atomic images verify --repair';

let registry: Registry;
let name: string;
let other: string;
beforeAll(async () => {
  registry = await startRegistry();
  name = await pushNew(registry, { layers: [tree`f etc/name 0644 etcd`] });
  other = await pushNew(registry, { layers: [tree`f etc/name 0644 other`] });
});
afterAll(() => registry.stop());

let store: Sandbox;
let image: StoredImage;
let repository: string;
beforeEach(async () => {
  await store?.remove();
  store = await createStore([registry]);
  repository = store.locations.repository;
  image = (await pullImage(store.host, name, {})).image;
  await pullImage(store.host, other, {});
});
afterAll(() => store.remove());

function listWarnings(): string[] {
  return store.events.flatMap((event) => (event.kind === 'warning' ? [event.text] : []));
}

/** The list goes on with the other images. */
async function expectLeftOut(warning: string): Promise<void> {
  store.events.length = 0;
  expect((await listImages(store.host)).map(({ reference }) => reference)).toEqual([other]);
  expect(listWarnings()).toEqual([expect.stringContaining(warning)]);
}

test('the files say what ostree says', () => {
  expect(
    listRefNames(repository)
      .map((ref) => `ociimage/${ref}`)
      .sort(),
  ).toEqual(ostree(store, 'refs').trim().split('\n').sort());
  const ref = formatImageRef(name);
  expect<string | undefined>(findRef(repository, ref)).toBe(ostree(store, 'rev-parse', ref).trim());
  const { dirtree } = readCommit(repository, image.commit);
  const [etc] = readDirTree(repository, dirtree).directories;
  const [file] = readDirTree(repository, toChecksum(etc?.dirtree ?? '')).files;
  expect([etc?.name, file?.name]).toEqual(['etc', 'name']);
  expect(ostree(store, 'ls', '-C', image.commit, '/etc/name')).toContain(file?.checksum ?? 'no checksum');
  expect(findRef(repository, 'ociimage/nothing')).toBeUndefined();
});

const brokenRefs: [title: string, content: string][] = [
  ['empty, as after a power cut', ''],
  ['full of zeros', '\0'.repeat(65)],
  ['cut short', 'abcdef\n'],
  ['a path', '../../../../etc/passwd\n'],
];

test.each(brokenRefs)('a ref that is %s', async (_, content) => {
  const ref = formatImageRef(name);
  writeFileSync(`${repository}/refs/heads/${ref}`, content);
  const expected = {
    code: 'STORE_CORRUPT',
    message: `reading the ref ${ref}: it names no commit`,
    hint: REPAIR_HINT,
  };
  expect(findImage(store.host, name)).rejects.toMatchObject(expected);
  await expectLeftOut(`${name} is damaged: ${expected.message}. ${REPAIR_HINT}`);
  // The numbers of other images are there, and the warning comes once.
  store.events.length = 0;
  expect((await readImageInfo(store.host, await readImage(store.host, other))).size.whole).toBeGreaterThan(0);
  expect(listWarnings()).toEqual([expect.stringContaining(`${name} is damaged: `)]);
  // The command of the hint repairs it.
  expect((await repairImages(store.host, [], {})).repairs.map(({ failure }) => failure)).toEqual([
    undefined,
    undefined,
  ]);
  expect(await findImage(store.host, name)).toBeDefined();
});

test('a missing, an empty and a truncated commit', async () => {
  const path = formatObjectPath(repository, image.commit, 'commit');
  const damage: [change: () => void, reason: RegExp][] = [
    [() => truncateSync(path, Math.floor(statSync(path).size / 2)), /: \S.*$/],
    [() => truncateSync(path, 0), /: \S.*$/],
    [() => rmSync(path), /: it is missing$/],
  ];
  for (const [change, reason] of damage) {
    change();
    const expected = {
      code: 'STORE_CORRUPT',
      message: expect.stringMatching(new RegExp(`^reading object ${image.commit}.commit${reason.source}`)),
      hint: REPAIR_HINT,
    };
    expect(findImage(store.host, name)).rejects.toMatchObject(expected);
    await expectLeftOut(`${name} is damaged: reading object ${image.commit}.commit: `);
    expect(() => openImageTree(store.host, image)).toThrow(
      expect.objectContaining({ code: 'STORE_CORRUPT' }),
    );
  }
});

test('a missing and a truncated directory', () => {
  const { dirtree } = readCommit(repository, image.commit);
  const path = formatObjectPath(repository, dirtree, 'dirtree');
  const message = (): string => {
    try {
      openImageTree(store.host, image).listDirectory('/');
      return 'no error';
    } catch (error) {
      expect(error).toMatchObject({ code: 'STORE_CORRUPT', hint: REPAIR_HINT });
      return (error as Error).message;
    }
  };
  truncateSync(path, statSync(path).size - 1);
  expect(message()).toMatch(new RegExp(`^reading object ${dirtree}.dirtree: \\S`));
  rmSync(path);
  expect(message()).toBe(`reading object ${dirtree}.dirtree: it is missing`);
});

test('an image commit that ostree wrote from a damaged layer is not trusted: the layer is fetched again', async () => {
  const layer = toDigest(image.layerDigests[0] ?? '');
  rmSync(`${repository}/refs/heads/${formatImageRef(name)}`);
  ostree(store, 'refs', '--delete', `ociimage/${layer.slice(7)}`);
  expect((await pullImage(store.host, name, {})).fetched).toEqual([layer]);
  checkRepository(store);
});
