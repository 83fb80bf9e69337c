/** Exported images are equal to the pulled ones. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { toDigest } from '../../../src/image/digest.ts';
import { exportImage, pushImage as pushStored } from '../../../src/store/export/export.ts';
import { planManifest } from '../../../src/store/export/export-manifest.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type BuiltImage, buildImage, digestOf, type ImageInput } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { listLeftovers } from '../../support/store/failed-pull.ts';
import { createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let store: Sandbox;
let folders = 0;
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

/** Content that no other image has: a layer whose content is there already is not fetched, and its blob never seen. */
const unique = (text: string): TarEntry => ({ path: 'etc/unique', content: text });

/** More than is compressed on trial. */
const large: TarEntry = {
  path: 'usr/large',
  content: Buffer.from(Array.from({ length: 400_000 }, (_, line) => `line ${line * 7919}\n`).join('')),
};
const layers: readonly TarEntry[][] = [
  [
    { path: 'pax_global_header', content: '19 comment=0123456\n', raw: { typeFlag: 'g' } },
    ...tree`
      d ./ 0755
      d etc 0750 @1:2
      f etc/passwd 0644 root
      f etc/empty 0600
      f etc/capable 0755 x
      x etc/capable user.test=1
      l etc/link -> passwd
    `,
    { path: 'etc/hard', type: 'hardlink', linkName: 'etc/passwd' },
    { path: `etc/${'long/'.repeat(40)}name`, content: 'pax' },
    { path: `etc/${'l'.repeat(120)}`, content: 'gnu', longNames: 'gnu' },
    { path: 'implied/only/file', content: 'implied' },
    { path: 'dev/null', type: 'char', device: { major: 1, minor: 3 } },
  ],
  tree`
    w etc/passwd
    d etc/dir 0755
    o etc/dir
    f /etc/absolute 0644 1
    f ./etc//dots 0644 2
  `,
];

async function pull(input: ImageInput): Promise<{ image: BuiltImage; name: string }> {
  folders += 1;
  const image = buildImage(input);
  const name = await pushImage(registry, `export/image-${folders}`, image);
  await pullImage(store.host, name, {});
  return { image, name };
}

function newPath(): string {
  folders += 1;
  return store.folder.join(`out-${folders}`);
}

/** Files of a folder of the form `dir:`, by name. */
function readFolder(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name !== 'version')
      .map((name) => [name, digestOf(readFileSync(`${folder}/${name}`))]),
  );
}

function expectedFolder({ manifest, config, layers: blobs }: BuiltImage): Record<string, string> {
  return {
    'manifest.json': manifest.digest,
    ...Object.fromEntries([config, ...blobs].map(({ digest }) => [digest.slice('sha256:'.length), digest])),
  };
}

/** @returns what it printed */
function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: store.host.env });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const same = (digest: string): unknown => ({ original: digest, digest, reason: undefined });

const unpadded = buildTar(tree`f etc/one 0644 1`, { ending: 'unpadded' });
const compressedAs = (options: Parameters<typeof gzipSync>[1]) => (tar: TarEntry[]) => ({
  tar,
  data: gzipSync(buildTar(tar), options),
});
const exact: [title: string, input: ImageInput][] = [
  ['OCI, gzip', { layers: [[...(layers[0] ?? []), large], layers[1] ?? []] }],
  ['Docker, gzip', { kind: 'docker', layers }],
  ['OCI, zstd', { layers: layers.map((tar) => ({ tar, compression: 'zstd' })) }],
  ['OCI, not compressed', { layers: layers.map((tar) => ({ tar, compression: 'none' })) }],
  [
    'OCI, gzip of level 9',
    { layers: layers.map((tar) => compressedAs({ level: 9 })([...tar, unique('level 9')])) },
  ],
  [
    'one layer twice, annotations, a layer without entries',
    { layers: [layers[1] ?? [], [], layers[1] ?? []], annotations: { a: 'ü' } },
  ],
  ['archives without end', { layers: [{ tar: unpadded }, { tar: unpadded, compression: 'none' }] }],
];

test.each(exact)('%s: every byte is the same', async (_, input) => {
  const { image, name } = await pull(input);
  const path = newPath();
  expect(await exportImage(store.host, name, `dir:${path}`)).toEqual({
    reference: name,
    destination: `dir:${path}`,
    manifest: same(image.manifest.digest),
    config: same(image.config.digest),
    layers: image.layers.map(({ digest }) => same(digest)),
  } as Awaited<ReturnType<typeof exportImage>>);
  expect(readFolder(path)).toEqual(expectedFolder(image));
  expect(listLeftovers(store)).toEqual([]);
});

test('an image that skopeo compressed, as podman does, is the same after a push to another registry', async () => {
  const { name: plain } = await pull({ layers: layers.map((tar) => ({ tar, compression: 'none' })) });
  const name = `${registry.address}/export/skopeo:latest`;
  run('skopeo', 'copy', '--quiet', `docker://${plain}`, `docker://${name}`);
  await pullImage(store.host, name, {});
  await using other = await startRegistry();
  await using store2 = await createStore([registry, other]);
  await pullImage(store2.host, name, {});
  const pushed = await pushStored(store2.host, name, `${other.address}/a/b:c`, { tlsVerify: false });
  const manifest = (from: string): string => run('skopeo', 'inspect', '--raw', '--tls-verify=false', from);
  expect(manifest(`docker://${other.address}/a/b:c`)).toBe(manifest(`docker://${name}`));
  expect(pushed.manifest).toEqual(
    same(digestOf(Buffer.from(manifest(`docker://${name}`)))) as typeof pushed.manifest,
  );
  expect(await pullImage(store2.host, `${other.address}/a/b:c`, {})).toMatchObject({ fetched: [] });
});

test('a layer of an unknown compressor becomes another blob of the same content, and a warning says so', async () => {
  const tar = buildTar([...(layers[0] ?? []), unique('in two parts')]);
  const data = Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]);
  const input: ImageInput = {
    layers: [
      layers[1] ?? [],
      { tar, data, annotations: { kept: '1', 'containerd.io/snapshot/stargz/toc.digest': 'x' } },
    ],
    annotations: { note: 'kept' },
  };
  const { image, name } = await pull(input);
  const path = newPath();
  store.events.length = 0;
  const exported = await exportImage(store.host, name, `dir:${path}`);
  const [first, second] = exported.layers;
  const changed = second?.digest ?? '';
  expect(first).toEqual(same(toDigest(image.layers[0]?.digest ?? '')) as typeof first);
  expect(second).toEqual({
    original: toDigest(image.layers[1]?.digest ?? ''),
    digest: expect.stringMatching(/^sha256:/),
    reason:
      'it was compressed by an unknown program or version; these were tried: zlib level 6, zlib-ng level 6, zlib level 9',
  });
  expect(changed).not.toBe(second?.original);
  const blob = readFileSync(`${path}/${changed.slice(7)}`);
  expect(digestOf(Bun.gunzipSync(blob))).toBe(digestOf(tar));
  const manifest = readFileSync(`${path}/manifest.json`, 'utf8');
  const original = JSON.parse(Buffer.from(image.manifest.data).toString());
  expect(JSON.parse(manifest)).toEqual({
    ...original,
    layers: [
      original.layers[0],
      { ...original.layers[1], digest: changed, size: blob.length, annotations: { kept: '1' } },
    ],
  });
  const digest = digestOf(Buffer.from(manifest));
  expect(exported.manifest).toEqual({
    original: image.manifest.digest,
    digest,
    reason: 'it has other layers',
  });
  expect(store.events.filter(({ kind }) => kind === 'warning')).toEqual([
    { kind: 'warning', text: `layer ${second?.original} went out as ${changed}: ${second?.reason}` },
    {
      kind: 'warning',
      text: `manifest ${image.manifest.digest} went out as ${digest}: it has other layers`,
    },
  ]);
});

test('a Docker image in an OCI layout keeps configuration and layers, and gets an OCI manifest', async () => {
  const { image, name } = await pull({ kind: 'docker', layers });
  const path = newPath();
  const exported = await exportImage(store.host, name, `oci:${path}:one`);
  const blobs = readdirSync(`${path}/blobs/sha256`).map((hex) => `sha256:${hex}`);
  expect(blobs.sort()).toEqual(
    [image.config, ...image.layers]
      .map(({ digest }) => digest)
      .concat(exported.manifest.digest ?? [])
      .sort(),
  );
  expect(exported).toEqual({
    reference: name,
    destination: `oci:${path}:one`,
    manifest: {
      original: image.manifest.digest,
      digest: digestOf(
        Buffer.from(planManifest(Buffer.from(image.manifest.data).toString(), 'oci', new Map(), new Set())),
      ),
      reason: 'the image has a Docker manifest, and an OCI layout holds OCI manifests only',
    },
    config: same(image.config.digest) as typeof exported.config,
    layers: image.layers.map(({ digest }) => same(digest)) as typeof exported.layers,
  });
  await exportImage(store.host, name, `oci:${path}:two`);
  await expect(exportImage(store.host, name, `oci:${path}:two`)).rejects.toMatchObject({
    code: 'FILE_CONFLICT',
    message: `exporting ${name}: write ${path}: it has the tag two already`,
  });
});

test('an OCI archive has the original image', async () => {
  const { image, name } = await pull({ layers });
  const path = `${newPath()}.tar`;
  const exported = await exportImage(store.host, name, `oci-archive:${path}`);
  expect(exported.destination).toBe(`oci-archive:${path}:latest`);
  expect(digestOf(Buffer.from(run('skopeo', 'inspect', '--raw', exported.destination)))).toBe(
    image.manifest.digest,
  );
});

test('a Docker archive holds the configuration as it came, and the archives of the layers', async () => {
  const { image, name } = await pull({ kind: 'oci', layers });
  const path = `${newPath()}.tar`;
  const exported = await exportImage(store.host, name, `docker-archive:${path}`);
  expect(exported.config).toEqual(same(image.config.digest) as typeof exported.config);
  expect(exported.layers.map(({ digest }) => digest)).toEqual(image.layers.map(({ diffId }) => diffId));
  const out = newPath();
  mkdirSync(out);
  run('tar', '-xf', path, '-C', out);
  const [entry] = JSON.parse(readFileSync(`${out}/manifest.json`, 'utf8'));
  expect(entry.RepoTags).toEqual([name]);
  expect(
    [entry.Config, ...entry.Layers].map((file: string) => digestOf(readFileSync(`${out}/${file}`))),
  ).toEqual([image.config.digest, ...image.layers.map(({ diffId }) => diffId)]);
});

test('an image of "docker save" is exported unchanged, and its plain layers stay plain', async () => {
  const { image, name } = await pull({
    kind: 'docker',
    layers: layers.map((tar) => ({ tar, compression: 'none' })),
  });
  const archive = newPath();
  await exportImage(store.host, name, `docker-archive:${archive}:test/saved:1`);
  const saved = await pullImage(store.host, `dockertar:${archive}`, {});
  expect([saved.image.configDigest, saved.fetched]).toEqual([image.config.digest, []]);
  const folder = newPath();
  const exported = await exportImage(store.host, saved.image.reference, `dir:${folder}`);
  expect(exported.manifest).toEqual({
    original: toDigest(`sha256:${saved.image.id}`),
    digest: toDigest(`sha256:${saved.image.id}`),
    reason: undefined,
  });
  expect(readdirSync(folder).sort()).toEqual(
    [...image.layers, image.config]
      .map(({ digest }) => digest.slice('sha256:'.length))
      .concat('manifest.json', 'version')
      .sort(),
  );
});
