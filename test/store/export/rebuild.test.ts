/** Layers that cannot be rebuilt, and those that others have stored. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type Checksum, toChecksum } from '../../../src/image/checksum.ts';
import { type Digest, toDigest } from '../../../src/image/digest.ts';
import { formatImageRef } from '../../../src/image/ref-name.ts';
import { formatObjectPath, readCommit, readDirTree } from '../../../src/ostree/object-files.ts';
import { exportImage } from '../../../src/store/export/export.ts';
import { readRecordedLayer, rebuildArchive } from '../../../src/store/export/rebuild-archive.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { Crc64 } from '../../../src/tar/crc64.ts';
import { buildImage, type ImageInput } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { listLeftovers } from '../../support/store/failed-pull.ts';
import { ostree } from '../../support/store/ostree-cli.ts';
import { randomLayers } from '../../support/store/random-layers.ts';
import { createStore, pullLayers, pushNew, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const VERIFY_HINT = 'Check the image: atomic images verify IMAGE';
const ELSEWHERE_HINT = 'Copy the image from its source instead: skopeo copy docker://IMAGE DESTINATION';

async function digestRebuilt(store: Sandbox, layer: Digest): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of rebuildArchive(store.host, readRecordedLayer(store.host, layer)))
    hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

/** Pulls an image, changes the store, and exports it. @returns the failure without what names image and layer */
async function failedExport(
  input: ImageInput,
  damage: (store: Sandbox, layer: string) => void = () => {},
): Promise<{ code: string; message: string; hint: string }> {
  await using store = await createStore([registry]);
  const name = await pushNew(registry, input);
  const layer = toDigest((await pullImage(store.host, name, {})).image.layerDigests[0] ?? '');
  damage(store, layer);
  const error = await exportImage(store.host, name, `dir:${store.folder.join('out')}`).catch(
    (reason) => reason,
  );
  expect(listLeftovers(store)).toEqual([]);
  const { code, message, hint } = error;
  return { code, message: message.replace(`exporting ${name}: `, '').replace(layer, 'LAYER'), hint };
}

/** Path of the content object of a file of the layer's root. */
function objectOf(store: Sandbox, layer: string, name: string): { path: string; checksum: string } {
  const { repository } = store.locations;
  const { dirtree } = readCommit(repository, readRefOf(store, layer));
  const file = readDirTree(repository, dirtree).files.find((candidate) => candidate.name === name);
  const checksum = toChecksum(file?.checksum ?? '');
  return { checksum, path: formatObjectPath(repository, checksum, 'file') };
}

function readRefOf(store: Sandbox, layer: string): Checksum {
  return toChecksum(ostree(store, 'rev-parse', `ociimage/${layer.slice('sha256:'.length)}`).trim());
}

const one: ImageInput = { layers: [tree`f file 0644 content`] };

test('a path that the archive names twice', async () => {
  const twice: ImageInput = {
    layers: [
      tree`
        f a 0644 first
        f ./a 0644 again
      `,
    ],
  };
  expect(await failedExport(twice)).toEqual({
    code: 'LAYER_NOT_REBUILDABLE',
    message: 'rebuilding layer LAYER: its archive names a 2 times, and only the last one was kept',
    hint: ELSEWHERE_HINT,
  });
});

test('a file that became a symlink later in the archive is not followed', async () => {
  const twice: ImageInput = {
    layers: [[...tree`f a 0644 ${readFileSync('/etc/hostname')}`, ...tree`l a -> /etc/hostname`]],
  };
  expect((await failedExport(twice)).code).toBe('LAYER_NOT_REBUILDABLE');
});

const areas = Buffer.alloc(512);
areas.write('2\n600\n5\n3000000\n4\n');

test('entries behind symlinks and sparse files, which the tree has elsewhere and larger', async () => {
  await using store = await createStore([registry]);
  const archive = buildTar([
    ...tree`
      l lib -> usr/lib
      f lib/x 0644 behind a symlink
    `,
    {
      path: 'GNUSparseFile.0/a',
      content: Buffer.concat([areas, Buffer.from('123456789')]),
      pax: {
        ...{ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '3000010' },
        'GNU.sparse.name': 'lib/sparse',
      },
    },
    {
      path: 'older',
      content: 'abc',
      pax: { 'GNU.sparse.size': '9', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '3,3' },
    },
    {
      path: 'holes',
      pax: { 'GNU.sparse.size': '1000', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '1000,0' },
    },
    { path: 'last', content: 'plain' },
  ]);
  const pulled = await pullLayers(store, registry, [{ tar: archive }]);
  const layer = toDigest(pulled.image.layerDigests[0] ?? '');
  expect(await digestRebuilt(store, layer)).toBe(
    `sha256:${createHash('sha256').update(archive).digest('hex')}`,
  );
});

test('a layer whose record is longer than what is in memory of it', async () => {
  await using store = await createStore([registry]);
  // Names that do not compress: some 150 KB of record.
  const names = Array.from({ length: 600 }, (_, index) =>
    createHash('sha512').update(`${index}`).digest('hex'),
  );
  const archive = buildTar(names.map((path) => ({ path, content: 'equal' })));
  const layer = toDigest((await pullLayers(store, registry, [{ tar: archive }])).image.layerDigests[0] ?? '');
  expect(readRecordedLayer(store.host, layer).record.length).toBeGreaterThan(2 * 64 * 1024);
  expect(await digestRebuilt(store, layer)).toBe(
    `sha256:${createHash('sha256').update(archive).digest('hex')}`,
  );
});

test('objects that are damaged, cut or missing', async () => {
  let checksum = '';
  const change =
    (action: (path: string) => void) =>
    (store: Sandbox, layer: string): void => {
      const object = objectOf(store, layer, 'file');
      checksum = object.checksum;
      action(object.path);
    };
  const cases: [action: (path: string) => void, reason: () => string][] = [
    [
      (path) => writeFileSync(path, 'CONTENT'),
      () => `file (object ${checksum}): its content differs from that in the archive`,
    ],
    [(path) => writeFileSync(path, 'cut'), () => `file (object ${checksum}): 3 bytes instead of 7`],
    [(path) => rmSync(path), () => `object ${checksum} of file is missing`],
    [
      (path) => {
        rmSync(path);
        symlinkSync('/etc/passwd', path);
      },
      () => 'file: the layer has no such file',
    ],
  ];
  for (const [action, reason] of cases) {
    expect(await failedExport(one, change(action))).toEqual({
      code: 'STORE_CORRUPT',
      message: `rebuilding layer LAYER: ${reason()}`,
      hint: VERIFY_HINT,
    });
  }
});

test('a layer without its record, with a broken one, or without its ref', async () => {
  const rewrite =
    (record: Readonly<Record<string, string>>) =>
    (store: Sandbox, layer: string): void => {
      const commit = readRefOf(store, layer);
      const metadata = readCommit(store.locations.repository, commit).metadata;
      const digest = metadata.get('docker.uncompressed_digest') ?? '';
      commitAs(store, refOf(layer), `ref=${commit}`, { 'docker.uncompressed_digest': digest, ...record });
    };
  const header = Buffer.alloc(512, 'x').toString('base64');
  const lines = (...entries: readonly unknown[]): string =>
    gzipSync(entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')).toString('base64');
  const cases: [record: Readonly<Record<string, string>>, reason: string | RegExp][] = [
    [{}, 'no record of its archive was kept when it was stored'],
    [{ 'tarsplit.output': 'AAAA' }, 'malformed tar-split record: it cannot be inflated'],
    [{ 'tarsplit.output': lines([]) }, 'malformed tar-split record: a line that is not an object'],
    [{ 'tarsplit.output': lines({ type: 3 }) }, 'malformed tar-split record: an entry of the type 3'],
    [
      { 'tarsplit.output': lines({ type: 1, name: 'file', size: 7, payload: 'AAAAAAAAAAA=' }) },
      /^file .*its content differs/,
    ],
    [
      { 'tarsplit.output': lines({ type: 2, payload: header }) },
      /^its archive comes out as sha256:\w+ instead of/,
    ],
  ];
  for (const [record, reason] of cases) {
    const { code, message } = await failedExport(one, rewrite(record));
    expect(code).toBe(Object.keys(record).length === 0 ? 'LAYER_NOT_REBUILDABLE' : 'STORE_CORRUPT');
    const [, found = ''] = /^rebuilding layer LAYER: (.*)$/.exec(message) ?? [];
    expect(found).toMatch(reason);
  }
  expect(
    await failedExport(one, (store, layer) => void ostree(store, 'refs', '--delete', refOf(layer))),
  ).toEqual({
    code: 'LAYER_NOT_FOUND',
    message: 'reading layer LAYER: it is not in the image store',
    hint: 'Pull the image again: atomic pull IMAGE',
  });
});

test('an image that the original tool stored, whose layers have no notes of ours', async () => {
  await using store = await createStore([registry]);
  const entries: TarEntry[] = tree`
    d etc 0755
    f etc/one 0644 1
    f etc/empty 0644
    w etc/gone
  `;
  const image = buildImage({ kind: 'docker', layers: [entries] });
  const layer = toDigest(image.layers[0]?.digest ?? '');
  const work = store.folder.join('work');
  mkdirSync(`${work}/layer/etc`, { recursive: true });
  writeFileSync(`${work}/layer/etc/one`, '1');
  writeFileSync(`${work}/layer/etc/empty`, '');
  writeFileSync(`${work}/layer/etc/.wh.gone`, '');
  mkdirSync(`${work}/config`);
  writeFileSync(`${work}/config/content`, image.config.data);
  mkdirSync(`${work}/image`);
  writeFileSync(`${work}/image/manifest.json`, image.manifest.data);
  mkdirSync(store.locations.repository, { recursive: true });
  ostree(store, 'init', '--mode=bare');
  commitAs(store, refOf(layer), `dir=${work}/layer`, {
    'docker.size': String(image.layers[0]?.size),
    'docker.uncompressed_size': String(buildTar(entries).length),
    'docker.uncompressed_digest': image.layers[0]?.diffId ?? '',
    'tarsplit.output': gzipSync(recordAsOthers(entries)).toString('base64'),
  });
  commitAs(store, refOf(image.config.digest), `dir=${work}/config`, {
    'docker.size': String(image.config.size),
  });
  commitAs(store, formatImageRef('old/image:1'), `dir=${work}/image`, {
    'docker.manifest': Buffer.from(image.manifest.data).toString(),
    'docker.digest': image.manifest.digest,
    signatures: '0',
  });
  const exported = await exportImage(store.host, 'old/image:1', `dir:${store.folder.join('out')}`);
  expect([exported.manifest, exported.config, ...exported.layers].map(({ digest }) => digest)).toEqual([
    image.manifest.digest,
    image.config.digest,
    layer,
  ]);
});

test('the layers of any builder are rebuilt byte for byte, in both kinds of repository', async () => {
  await using bare = await createStore([registry]);
  await using user = await createStore([registry], { repositoryMode: 'bare-user' });
  await fc.assert(
    fc.asyncProperty(randomLayers, async (layers) => {
      const image = buildImage({ layers });
      const name = await pushNew(registry, { layers });
      for (const store of [bare, user]) {
        await pullImage(store.host, name, {});
        for (const { digest, diffId } of image.layers)
          expect(await digestRebuilt(store, digest)).toBe(diffId);
      }
    }),
    { numRuns: 6 },
  );
});

test('gigabytes of zeros after the end of an archive are recorded in pieces', async () => {
  await using store = await createStore([registry]);
  const tar = Buffer.concat([buildTar(tree`f file 0644 text`), Buffer.alloc(5_000_000)]);
  const { fetched } = await pullLayers(store, registry, [{ tar }]);
  const layer = toDigest(fetched[0] ?? '');
  const record = readRecordedLayer(store.host, layer);
  expect(await digestRebuilt(store, layer)).toBe(`sha256:${createHash('sha256').update(tar).digest('hex')}`);
  expect(record).toBeDefined();
});

test('a repository of another mode is refused, and not written to', async () => {
  await using store = await createStore([registry]);
  mkdirSync(store.locations.repository, { recursive: true });
  ostree(store, 'init', '--mode=archive');
  const name = await pushNew(registry, { layers: [tree`f file 0644 text`] });
  const error = await pullImage(store.host, name, {}).catch((reason) => reason);
  expect(error).toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringContaining('its mode is archive-z2, not bare'),
  });
});

function refOf(digest: string): string {
  return `ociimage/${digest.slice('sha256:'.length)}`;
}

function commitAs(
  store: Sandbox,
  ref: string,
  tree: string,
  metadata: Readonly<Record<string, string>>,
): void {
  const strings = Object.entries(metadata).map(([key, value]) => `--add-metadata-string=${key}=${value}`);
  ostree(store, 'commit', `--branch=${ref}`, '--parent=none', '--no-bindings', `--tree=${tree}`, ...strings);
}

/** As vbatts/tar-split writes it: a file also for what is none, names as bytes where they are not ASCII. */
function recordAsOthers(entries: readonly TarEntry[]): string {
  const lines: unknown[] = [];
  let frame = Buffer.alloc(0);
  for (const entry of entries) {
    const archive = buildTar([entry], { ending: 'no-trailer' });
    const content = Buffer.from(String(entry.content ?? ''));
    lines.push({ type: 2, payload: Buffer.concat([frame, archive.subarray(0, 512)]).toString('base64') });
    const sum = new Crc64();
    sum.update(content);
    const raw =
      entry.path === 'etc/one'
        ? { name_raw: Buffer.from(entry.path).toString('base64') }
        : { name: entry.path };
    lines.push(
      content.length === 0
        ? { type: 1, ...raw, payload: null }
        : { type: 1, ...raw, size: content.length, payload: sum.digest().toString('base64') },
    );
    frame = archive.subarray(512 + content.length);
  }
  lines.push({ type: 2, payload: Buffer.concat([frame, Buffer.alloc(1024)]).toString('base64') });
  return lines.map((line, position) => JSON.stringify({ ...(line as object), position })).join('\n');
}
