/**
 * Archives of related images as Docker before 25 saves them: a layer that several have is a file in the folder of the
 * first, and a symlink in those of the others.
 */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Digest } from '../../../src/image/digest.ts';
import { parseSourceName } from '../../../src/image/source-name.ts';
import { locateImage } from '../../../src/source/locate-image.ts';
import { openImage } from '../../../src/source/open-image.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { withScratch } from '../../../src/store/scratch.ts';
import { type BuiltImage, buildImage } from '../../support/oci-image.ts';
import { writeLayout } from '../../support/oci-layout.ts';
import { run } from '../../support/run.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { failedPull, listLeftovers } from '../../support/store/failed-pull.ts';
import { checkOut, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const base = buildTar(tree`f etc/base 0644 base`);
const upper = buildTar(tree`f etc/top 0644 top`);
// More than what is copied at once, and no multiple of a block.
const shared = buildTar([{ path: 'etc/large', content: Buffer.alloc(2_500_000, 'large') }], {
  ending: 'unpadded',
});
const web = buildImage({ layers: [{ tar: base }, { tar: shared }] });
const top = buildImage({ layers: [{ tar: base }, { tar: shared }, { tar: upper }] });

const folder = (name: string): string => name.padEnd(64, '0');
const layerFile = (name: string): string => `${folder(name)}/layer.tar`;

let files: TemporaryFolder;
let store: Sandbox;
const at = (name: string): string => files.join(name);
beforeAll(async () => {
  files = await createTemporaryFolder('linked');
  store = await createSandbox();
  const archive = buildTar(buildFamily(`../${layerFile('b')}`));
  writeFileSync(at('family.tar'), archive);
  writeFileSync(at('family.tgz'), gzipSync(archive));
  writeFileSync(at('co:lon.tar'), archive);
  await writeLayout(at('layout'), top, '1');
  run(['skopeo', 'copy', '--quiet', `oci:${at('layout')}:1`, `docker-archive:${at('alone.tar')}:alone:1`]);
});
afterAll(async () => {
  await store.remove();
  await files.remove();
});

/** Docker writes the folders in the order of the images, so a link may stand before its target here and there. */
function buildFamily(target: string, more: readonly TarEntry[] = []): TarEntry[] {
  return [
    { path: `${folder('c')}/`, type: 'directory' },
    { path: layerFile('c'), type: 'symlink', linkName: `../${layerFile('a')}` },
    { path: layerFile('d'), type: 'symlink', linkName: target },
    { path: layerFile('e'), content: upper },
    { path: layerFile('a'), content: base },
    { path: layerFile('b'), content: shared },
    { path: 'web.json', content: web.config.data },
    { path: 'top.json', content: top.config.data },
    ...more,
    {
      path: 'manifest.json',
      content: JSON.stringify([
        { Config: 'web.json', RepoTags: ['web:1'], Layers: [layerFile('a'), layerFile('b')] },
        { Config: 'top.json', RepoTags: ['top:1'], Layers: ['c', 'd', 'e'].map(layerFile) },
      ]),
    },
  ];
}

const diffIds = (image: BuiltImage): Digest[] => image.layers.map(({ diffId }) => diffId);

test.each(['family.tar', 'family.tgz', 'co:lon.tar'])(
  '%s: the image is the one that an own archive holds',
  async (file) => {
    await using fresh = await createSandbox();
    const pulled = await pullImage(fresh.host, `dockertar:${at(file)}:top:1`, {});
    expect(pulled.image).toMatchObject({ reference: 'top:1', layerDigests: diffIds(top) });
    expect(pulled.image.source).toBe(`docker-archive:${at(file)}:top:1`);
    expect(describeTree(await checkOut(fresh, pulled))).toContain('f etc/top 0644 0:0 "top"');
    expect(listLeftovers(fresh)).toEqual([]);
    await using other = await createSandbox();
    const alone = await pullImage(other.host, `dockertar:${at('alone.tar')}`, {});
    expect(pulled.image.id).toBe(alone.image.id);
  },
);

test.each(['family.tar:top:1', 'family.tgz:web:1', 'co:lon.tar:web:1'])(
  '%s can be opened again when its proxy is lost',
  async (source) => {
    const location = await locateImage(store.host, parseSourceName(`dockertar:${at(source)}`));
    await withScratch(store.host, async (scratch) => {
      const first = await openImage(store.host, location, scratch, {});
      await first.close();
      const second = await openImage(store.host, location, scratch, {});
      await second.close();
      expect(second.digest).toBe(first.digest);
    });
  },
);

test('an image whose layers are all files is read where it is', async () => {
  await using fresh = await createSandbox();
  const { image } = await pullImage(fresh.host, `dockertar:${at('family.tar')}:web:1`, {});
  expect(image.layerDigests).toEqual(diffIds(web));
  expect(fresh.events.filter((event) => event.kind === 'step' && event.text.startsWith('Expanding'))).toEqual(
    [],
  );
});

test.each<[title: string, target: string, lost: string]>([
  ['out of the archive', '../../../../../../../../etc/hostname', '../../../../../../../etc/hostname'],
  ['to a file of this machine', '/etc/hostname', '/etc/hostname'],
  ['to itself', 'layer.tar', layerFile('d')],
  ['to another symlink', `../${layerFile('c')}`, layerFile('c')],
  ['to a folder', `../${folder('c')}`, folder('c')],
  ['to a device', '../device', 'device'],
  ['to nothing', '../nothing', 'nothing'],
])('a layer that leads %s', async (_, target, lost) => {
  const device: TarEntry = { path: 'device', type: 'char', device: { major: 1, minor: 5 } };
  writeFileSync(at('bad.tar'), buildTar(buildFamily(target, [device])));
  expect(await failedPull(store, `dockertar:${at('bad.tar')}:top:1`)).toEqual({
    code: 'ARCHIVE_INVALID',
    message: `reading ${at('bad.tar')}: '${lost}', a part of the image, is no file in it`,
    hint: 'Make the archive again; nothing was stored.',
  });
});
