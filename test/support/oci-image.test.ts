import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { buildImage, buildIndex, digestOf, type ImageInput, type ImageKind } from './oci-image.ts';
import { layoutBlobPath, writeLayout } from './oci-layout.ts';
import { type Registry, startRegistry } from './registry.ts';
import { pushImage } from './registry-push.ts';
import { createTemporaryFolder, type TemporaryFolder } from './temporary.ts';
import { tree } from './tree.ts';

const credentials = { username: 'tester', password: 'secret' };
const input: ImageInput = {
  layers: [
    { tar: tree`f etc/one 0644 1`, compression: 'none' },
    tree`f etc/two 0644 2`,
    { tar: tree`f etc/three 0644 3`, compression: 'zstd', annotations: { 'test.layer': 'three' } },
  ],
  config: { Entrypoint: ['/bin/one'], Cmd: ['two'], Env: ['A=B'], Labels: { name: 'test' } },
};

let folder: TemporaryFolder;
let registry: Registry;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  registry = await startRegistry({ credentials });
});
afterAll(async () => {
  await registry.stop();
  await folder.remove();
});

test('skopeo reads the layout, and every blob has the digest the manifest says', async () => {
  const image = buildImage({ ...input, annotations: { 'test.image': 'yes' } });
  const reference = await writeLayout(folder.join('layout'), image);
  expect(JSON.parse(skopeo('inspect', '--config', reference))).toEqual({
    created: '2016-09-12T00:00:00Z',
    ...image.platform,
    config: input.config,
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
    history: [1, 2, 3].map((n) => ({ created: '2016-09-12T00:00:00Z', created_by: `layer ${n}` })),
  });
  expect(digestOf(Buffer.from(skopeo('inspect', '--raw', reference)))).toBe(image.manifest.digest);
  skopeo('copy', '--preserve-digests', reference, `oci:${folder.join('copy')}:latest`);
  for (const blob of [image.config, image.manifest, ...image.layers]) {
    expect(digestOf(readFileSync(layoutBlobPath(folder.join('copy'), blob.digest)))).toBe(blob.digest);
  }
});

test('a layout holds several tags, and a tag can be replaced', async () => {
  const images = ['a', 'b', 'c'].map((name) => buildImage({ layers: [], config: { Labels: { name } } }));
  const layout = folder.join('tags');
  for (const [index, tag] of ['one', 'two', 'one'].entries()) {
    const image = images[index];
    if (image !== undefined) await writeLayout(layout, image, tag);
  }
  const label = (tag: string): unknown =>
    JSON.parse(skopeo('inspect', '--config', `oci:${layout}:${tag}`)).config.Labels.name;
  expect([label('one'), label('two')]).toEqual(['c', 'b']);
});

test.each<ImageKind>(['oci', 'docker'])('a %s image is in the registry byte for byte', async (kind) => {
  const image = buildImage({ ...input, kind });
  const reference = await pushImage(registry, `kind/${kind}`, image);
  expect(reference).toBe(`${registry.address}/kind/${kind}:latest`);
  const raw = skopeo('inspect', '--raw', ...access, `docker://${reference}`);
  expect(raw).toBe(Buffer.from(image.manifest.data).toString());
});

test.each<ImageKind>(['oci', 'docker'])('skopeo chooses the platform from a %s index', async (kind) => {
  const platforms = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm', variant: 'v7' },
  ];
  const images = platforms.map((platform) =>
    buildImage({
      layers: input.layers.slice(0, 2),
      kind,
      platform,
      config: { Env: [platform.architecture] },
    }),
  );
  const reference = await pushImage(registry, `index/${kind}`, buildIndex(images, { kind }));
  const inspect = (architecture: string): unknown => {
    const override = ['--override-os', 'linux', '--override-arch', architecture];
    return JSON.parse(skopeo(...override, 'inspect', '--config', ...access, `docker://${reference}`)).config
      .Env;
  };
  expect([inspect('amd64'), inspect('arm')]).toEqual([['amd64'], ['arm']]);
});

test('layers that the registry has are not sent again', async () => {
  await pushImage(registry, 'again', buildImage(input));
  await registry.forgetRequests();
  await pushImage(registry, 'again', buildImage({ ...input, config: { User: 'other' } }));
  const sent = (await registry.requests()).filter((request) => request.method === 'PUT');
  expect(sent.map(({ status, path }) => [status, path.replace(/uploads\/.*/, 'uploads/')])).toEqual([
    [201, '/v2/again/blobs/uploads/'],
    [201, '/v2/again/manifests/latest'],
  ]);
});

test('claims are what the manifest says', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const image = buildImage({
    layers: [
      { tar: Buffer.from('garbage'), compression: 'none', claim: { digest, size: 5 }, diffId: digest },
    ],
    configData: Buffer.from('not JSON'),
    manifest: { schemaVersion: 7 },
  });
  expect(JSON.parse(Buffer.from(image.manifest.data).toString())).toEqual({
    schemaVersion: 7,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(Buffer.from('not JSON')),
      size: 8,
    },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 5 }],
  });
});

test('the registry refuses a blob with a digest that lies', async () => {
  const claim = { digest: `sha256:${'0'.repeat(64)}` };
  const image = buildImage({ layers: [{ tar: tree`f etc/one 0644 1`, claim }] });
  await expect(pushImage(registry, 'lies', image)).rejects.toThrow('400 {"errors":[{"code":"DIGEST_INVALID"');
});

const access = ['--tls-verify=false', '--creds', 'tester:secret'];

function skopeo(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('skopeo', ['--insecure-policy', ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`skopeo ${args.join(' ')}: ${stderr}`);
  return stdout;
}
