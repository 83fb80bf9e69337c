/** Special files that would block for ever in the place of an image's files are refused and never opened. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { toDigest } from '../../../src/image/digest.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage } from '../../support/oci-image.ts';
import { layoutBlobPath, writeLayout } from '../../support/oci-layout.ts';
import { run } from '../../support/run.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const image = buildImage({ layers: [tree`f etc/name 0644 etcd`] });
const layer = toDigest(image.layers[0]?.digest ?? '');
const hex = (digest: string): string => digest.slice('sha256:'.length);

let files: TemporaryFolder;
let store: Sandbox;
beforeAll(async () => {
  files = await createTemporaryFolder('special');
  store = await createSandbox();
});
afterAll(async () => {
  await store.remove();
  await files.remove();
});

/** @returns a new layout and a new `dir:` folder of the same image */
async function writeFolders(): Promise<{ layout: string; dir: string }> {
  const folder = files.join(crypto.randomUUID());
  const [layout, dir] = [`${folder}/layout`, `${folder}/dir`];
  await writeLayout(layout, image, '1');
  run(['skopeo', 'copy', '--quiet', `oci:${layout}:1`, `dir:${dir}`]);
  return { layout, dir };
}

type Replace = (path: string) => void;
const fifo: Replace = (path) => void run(['mkfifo', path]);
const endless: Replace = (path) => symlinkSync('/dev/zero', path);
const linkedFifo: Replace = (path) => {
  const target = files.join(crypto.randomUUID());
  run(['mkfifo', target]);
  symlinkSync(target, path);
};

test.each<[prefix: 'oci' | 'dir', file: string, replace: Replace]>([
  ['oci', 'index.json', fifo],
  ['oci', 'index.json', endless],
  ['oci', `blobs/sha256/${hex(layer)}`, fifo],
  ['oci', `blobs/sha256/${hex(layer)}`, endless],
  ['oci', `blobs/sha256/${hex(image.config.digest)}`, fifo],
  ['oci', `blobs/sha256/${hex(image.manifest.digest)}`, linkedFifo],
  ['dir', 'manifest.json', fifo],
  ['dir', hex(layer), fifo],
  ['dir', hex(layer), endless],
  ['dir', 'version', fifo],
])('%s: %s', async (prefix, file, replace) => {
  const { layout, dir } = await writeFolders();
  const folder = prefix === 'oci' ? layout : dir;
  rmSync(`${folder}/${file}`);
  replace(`${folder}/${file}`);
  const { code, message, hint } = await failedPull(store, `${prefix}:${folder}`);
  expect({ code, hint: hint.split(' -ld ')[0] }).toEqual({
    code: 'SOURCE_UNREADABLE',
    hint: 'Check the file: ls',
  });
  expect(message).toMatch(/: it is neither a file nor a folder$/);
});

test('a folder in the place of the list', async () => {
  const { layout } = await writeFolders();
  rmSync(`${layout}/index.json`);
  mkdirSync(`${layout}/index.json`);
  expect(await failedPull(store, `oci:${layout}`)).toEqual({
    code: 'SOURCE_UNREADABLE',
    message: `reading ${layout}/index.json: it is a folder`,
    hint: `Check the file: ls -ld ${layout}/index.json`,
  });
});

test('a blob may be a symlink to a file', async () => {
  const { layout } = await writeFolders();
  const blob = layoutBlobPath(layout, layer);
  renameSync(blob, `${layout}/elsewhere`);
  symlinkSync('../../elsewhere', blob);
  expect((await pullImage(store.host, `oci:${layout}`, {})).image.layerDigests).toEqual([layer]);
});
