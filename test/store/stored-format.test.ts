/** Refs, encoding and metadata as `ostree` itself sees them (compatibility S-01 to S-05). */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage, digestOf, type ImageKind } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import {
  checkRepository,
  listMetadataTypes,
  listRefs,
  ostree,
  readMetadata,
} from '../support/store/ostree-cli.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { buildTar } from '../support/tar-writer.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const kinds: readonly ImageKind[] = ['oci', 'docker'];

test.each(kinds)('the commits of an image: %s', async (kind) => {
  await using store = await createStore([registry]);
  const entries = tree`
    d etc 0755
    f etc/passwd 0644 root
    f implied/file 0644 1
  `;
  const image = buildImage({
    kind,
    layers: [entries],
    annotations: { 'it\u2019s': 'quoted \'so\' and "so"\n' },
  });
  await pushImage(registry, 'gscrivano/et_cd-x.y', image, 'V1_2.3-4');
  const { address } = registry;
  const pulled = await pullImage(store.host, `${address}/gscrivano/et_cd-x.y:V1_2.3-4`, {});

  const imageRef = `ociimage/127.0.0.1_3A${registry.port}_2Fgscrivano_2Fet_5Fcd-x.y_3AV1_5F2.3-4`;
  const [layer] = image.layers;
  if (layer === undefined) throw new Error('no layer');
  const layerRef = `ociimage/${hexOf(layer.digest)}`;
  const configRef = `ociimage/${hexOf(image.config.digest)}`;
  expect(listRefs(store)).toEqual([imageRef, layerRef, configRef].sort());

  expect(ostree(store, 'rev-parse', imageRef).trim()).toBe(pulled.image.commit);
  expect(listMetadataTypes(store, imageRef)).toEqual([
    'docker.manifest: string',
    'docker.digest: string',
    'signatures: string',
    'atomic.source: string',
  ]);
  const manifest = readMetadata(store, imageRef, 'docker.manifest');
  expect(manifest).toBe(Buffer.from(image.manifest.data).toString());
  expect(readMetadata(store, imageRef, 'docker.digest')).toBe(image.manifest.digest);
  expect(digestOf(Buffer.from(manifest))).toBe(image.manifest.digest);
  expect(readMetadata(store, imageRef, 'signatures')).toBe('0');
  expect(readMetadata(store, imageRef, 'atomic.source')).toBe(`docker://${pulled.image.reference}`);

  expect(listMetadataTypes(store, layerRef)).toEqual([
    'docker.size: string',
    'docker.uncompressed_size: string',
    'docker.uncompressed_digest: string',
    'atomic.blob_start: string',
    'tarsplit.output: string',
    'atomic.whiteouts: string',
    'atomic.implied_directories: string',
  ]);
  expect(readMetadata(store, layerRef, 'docker.size')).toBe(String(layer.size));
  expect(readMetadata(store, layerRef, 'docker.uncompressed_size')).toBe(String(buildTar(entries).length));
  expect(readMetadata(store, layerRef, 'docker.uncompressed_digest')).toBe(layer.diffId);
  const tarSplit = readMetadata(store, layerRef, 'tarsplit.output');
  const readFile = (path: string): Buffer => Buffer.from(ostree(store, 'cat', layerRef, `/${path}`));
  expect(digestOf(rebuildArchive(tarSplit, readFile))).toBe(layer.diffId);
  expect(JSON.parse(readMetadata(store, layerRef, 'atomic.implied_directories')).sort()).toEqual([
    '',
    'implied',
  ]);

  expect(listMetadataTypes(store, configRef)).toEqual(['docker.size: string']);
  expect(readMetadata(store, configRef, 'docker.size')).toBe(String(image.config.size));
  expect(ostree(store, 'cat', configRef, '/content')).toBe(Buffer.from(image.config.data).toString());
  expect(ostree(store, 'ls', '-R', configRef).trim().split('\n')).toEqual([
    'd00755 0 0      0 /',
    `-00644 0 0    ${image.config.size} /content`,
  ]);
  checkRepository(store);
});

test('a layer keeps its whiteouts as files, the image does not have them', async () => {
  await using store = await createStore([registry]);
  const image = buildImage({
    layers: [
      tree`
        d etc 0755
        f etc/gone 0644 1
        f etc/stays 0644 2
      `,
      tree`
        d etc 0755
        w etc/gone
      `,
    ],
  });
  const name = await pushImage(registry, 'format/whiteouts', image);
  const { commit } = (await pullImage(store.host, name, {})).image;
  const list = (ref: string): string[] =>
    ostree(store, 'ls', '-R', '--nul-filenames-only', ref).split('\0').slice(0, -1);
  expect(list(`ociimage/${hexOf(image.layers[1]?.digest ?? '')}`)).toEqual(['/', '/etc', '/etc/.wh.gone']);
  expect(list(commit)).toEqual(['/', '/etc', '/etc/stays']);
});

test('the repository is a bare one, or one for a person without root', async () => {
  for (const repositoryMode of ['bare', 'bare-user'] as const) {
    await using store = await createStore([registry], { repositoryMode });
    const name = await pushImage(registry, 'format/mode', buildImage({ layers: [tree`f a 04755 @7:8 1`] }));
    await pullImage(store.host, name, {});
    expect(readFileSync(`${store.locations.repository}/config`, 'utf8')).toBe(
      `[core]\nrepo_version=1\nmode=${repositoryMode}\n`,
    );
    checkRepository(store);
  }
});

/** As tar-split does it: segments are copied, files are read from the tree. */
function rebuildArchive(tarSplit: string, readFile: (path: string) => Buffer): Buffer {
  const lines = gunzipSync(Buffer.from(tarSplit, 'base64')).toString().trim().split('\n');
  const entries = lines.map(
    (line) => JSON.parse(line) as { type: number; name?: string; size?: number; payload: string },
  );
  return Buffer.concat(
    entries.map(({ type, name = '', size = 0, payload }) => {
      if (type === 2) return Buffer.from(payload, 'base64');
      return size === 0 ? Buffer.alloc(0) : readFile(name);
    }),
  );
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}
