/** Destinations of exports: an existing file is not replaced, and a file of another program is not removed. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { exportImage } from '../../../src/store/export/export.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { listLeftovers } from '../../support/store/failed-pull.ts';
import { createStore, pushNew, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let store: Sandbox;
let name: string;
let other: string;
let folders = 0;
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  name = await pushNew(registry, { layers: [tree`f file 0644 one`] });
  other = await pushNew(registry, { layers: [tree`f file 0644 two`] });
  for (const image of [name, other]) await pullImage(store.host, image, {});
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

function newPath(): string {
  folders += 1;
  return store.folder.join(`out-${folders}`);
}

/** A host on which another program acts just before skopeo writes. */
function whileCopying(act: () => void): Sandbox['host'] {
  return {
    ...store.host,
    report(event) {
      store.host.report(event);
      if (event.kind === 'step' && event.text.startsWith('Copying')) act();
    },
  };
}

test('an existing file is not overwritten', async () => {
  const file = newPath();
  writeFileSync(file, 'mine');
  const folder = newPath();
  mkdirSync(folder);
  writeFileSync(`${folder}/mine`, 'mine');
  const nowhere = newPath();
  symlinkSync('/nowhere/file', nowhere);
  const cases: [destination: string, reason: string][] = [
    [`oci-archive:${nowhere}`, `write ${nowhere}: it is there already`],
    [`dir:${nowhere}`, `write ${nowhere}: it is not a folder`],
    [`oci-archive:${file}`, `write ${file}: it is there already`],
    [`docker-archive:${file}`, `write ${file}: it is there already`],
    [`dir:${file}`, `write ${file}: it is not a folder`],
    [`dir:${folder}`, `write ${folder}: it is not empty`],
    [`dir:${file}/x`, `write ${file}/x: ${file} is not a folder`],
    [`oci:${folder}:x`, `write ${folder}: it is not an OCI layout`],
  ];
  for (const [destination, reason] of cases) {
    await expect(exportImage(store.host, name, destination)).rejects.toMatchObject({
      code: 'FILE_CONFLICT',
      message: `exporting ${name}: ${reason}`,
    });
  }
  expect([readFileSync(file, 'utf8'), readdirSync(folder)]).toEqual(['mine', ['mine']]);
  expect(readlinkSync(nowhere)).toBe('/nowhere/file');
});

test.each(['oci-archive', 'docker-archive', 'oci', 'dir'])(
  '%s: what appears meanwhile stays',
  async (kind) => {
    const parent = newPath();
    mkdirSync(parent);
    const path = `${parent}/image`;
    const mine = kind.endsWith('archive') ? path : `${path}/mine`;
    const host = whileCopying(() => {
      mkdirSync(dirname(mine), { recursive: true });
      writeFileSync(mine, 'mine');
    });
    await expect(exportImage(host, name, `${kind}:${path}`)).rejects.toMatchObject({
      code: 'FILE_CONFLICT',
      message: `exporting ${name}: write ${path}: it has appeared meanwhile`,
    });
    expect([readFileSync(mine, 'utf8'), readdirSync(dirname(mine)), readdirSync(parent)]).toEqual([
      'mine',
      [basename(mine)],
      ['image'],
    ]);
  },
);

test('an empty folder that appears meanwhile is not replaced', async () => {
  const path = newPath();
  let inode = 0;
  const host = whileCopying(() => {
    mkdirSync(path);
    inode = statSync(path).ino;
  });
  await expect(exportImage(host, name, `dir:${path}`)).rejects.toMatchObject({ code: 'FILE_CONFLICT' });
  expect([statSync(path).ino, readdirSync(path)]).toEqual([inode, []]);
});

test('exports into one layout at the same time are all in its index', async () => {
  const path = newPath();
  await exportImage(store.host, name, `oci:${path}:first`);
  const tags = ['a', 'b', 'c', 'd', 'e', 'f'];
  const exports = tags.map((tag, index) => {
    return exportImage(store.host, index % 2 === 0 ? name : other, `oci:${path}:${tag}`);
  });
  await Promise.all(exports);
  const index = JSON.parse(readFileSync(`${path}/index.json`, 'utf8')) as {
    manifests: { annotations: Record<string, string> }[];
  };
  const found = index.manifests.map(({ annotations }) => annotations['org.opencontainers.image.ref.name']);
  expect(found.sort()).toEqual([...tags, 'first']);
});

test('of two exports into one empty folder one is refused', async () => {
  const path = newPath();
  mkdirSync(path);
  const results = await Promise.allSettled([1, 2].map(() => exportImage(store.host, name, `dir:${path}`)));
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused.map(({ reason }) => (reason as Error).message)).toEqual([
    `exporting ${name}: write ${path}: it is not empty`,
  ]);
});

test('a new folder may be written with dots and slashes', async () => {
  const path = newPath();
  await exportImage(store.host, name, `dir:${path}/a//b/../c/.`);
  expect([readdirSync(path), readdirSync(`${path}/a`)]).toEqual([['a'], ['c']]);
});

test('a file may have the longest of names', async () => {
  const parent = newPath();
  mkdirSync(parent);
  const path = `${parent}/${'n'.repeat(255)}`;
  await exportImage(store.host, name, `oci-archive:${path}`);
  expect(readdirSync(parent)).toEqual([basename(path)]);
});

test('a failed copy leaves nothing behind', async () => {
  const path = `${newPath()}.tar`;
  const host = { ...store.host, env: { ...store.host.env, SKOPEO_PATH: '/bin/false' } };
  await expect(exportImage(host, name, `docker-archive:${path}`)).rejects.toMatchObject({
    code: 'TRANSFER_FAILED',
  });
  expect([existsSync(path), listLeftovers(store)]).toEqual([false, []]);
});
