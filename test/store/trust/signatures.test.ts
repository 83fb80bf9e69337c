/** `signedBy` of policy.json holds, also with skopeo 1.9, whose image proxy does not look at it. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { toDigest } from '../../../src/image/digest.ts';
import { formatImageRef } from '../../../src/image/ref-name.ts';
import { exportImage } from '../../../src/store/export/export.ts';
import { readSignatures } from '../../../src/store/image-signatures.ts';
import { listImages } from '../../../src/store/list-images.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { startFaultyRegistry } from '../../support/faulty-registry.ts';
import { type BuiltImage, buildImage, buildIndex } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { createSigningKey, type SigningKey } from '../../support/signing-key.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { failedPull, listLeftovers, type PullFailure } from '../../support/store/failed-pull.ts';
import { checkRepository, readMetadata } from '../../support/store/ostree-cli.ts';
import { checkOut, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let trusted: SigningKey;
let stranger: SigningKey;
let store: Sandbox;
let lookaside: string;
beforeAll(async () => {
  registry = await startRegistry();
  [trusted, stranger] = await Promise.all([createSigningKey(), createSigningKey()]);
  const requirement = { type: 'signedBy', keyType: 'GPGKeys', keyPath: trusted.publicKey };
  const policy = {
    default: [{ type: 'reject' }],
    transports: { docker: { [`${registry.address}/signed`]: [requirement] } },
  };
  store = await createSandbox({ containers: { insecure: [registry.address], policy } });
  lookaside = store.folder.join('lookaside');
  const registries = `${store.host.env.HOME}/.config/containers/registries.d`;
  mkdirSync(registries, { recursive: true });
  writeFileSync(
    `${registries}/test.yaml`,
    `docker:\n  ${registry.address}:\n    sigstore: file://${lookaside}\n`,
  );
});
afterAll(async () => {
  await store.remove();
  await trusted[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
  await registry.stop();
});

const rejection = (reason: string): PullFailure => ({
  code: 'POLICY_REJECTED',
  message: expect.stringContaining(reason) as unknown as string,
  hint: 'See /etc/containers/policy.json and containers-policy.json(5).',
});

let images = 0;
function newImage(kind: 'oci' | 'docker' = 'oci'): BuiltImage {
  images += 1;
  return buildImage({ kind, layers: [tree`f etc/name 0644 ${`image ${images}`}`, tree`f etc/more 0644 1`] });
}

test('an image without a signature', async () => {
  const name = await pushImage(registry, 'signed/none', newImage());
  expect(await failedPull(store, name)).toEqual(
    rejection('Source image rejected: A signature was required, but no signature exists'),
  );
});

test.each(['oci', 'docker'] as const)(
  'an image with a good signature is stored as it is in the registry: %s',
  async (kind) => {
    const image = newImage(kind);
    const repository = `signed/good-${kind}`;
    const name = await pushImage(registry, repository, image);
    trusted.sign(image.manifest, name, lookaside, repository);
    const pulled = await pullImage(store.host, name, {});
    expect([pulled.image.reference, pulled.image.id]).toEqual([name, image.manifest.digest.slice(7)]);
    expect(pulled.fetched).toContain(toDigest(image.layers[0]?.digest ?? ''));
    expect(describeTree(await checkOut(store, pulled))).toContain(`f etc/name 0644 0:0 "image ${images}"`);
    expect(listLeftovers(store)).toEqual([]);
    const signature = `${lookaside}/${repository}@${image.manifest.digest.replace(':', '=')}/signature-1`;
    expect(readSignatures(store.host, pulled.image)).toEqual([readFileSync(signature)]);
    expect(readMetadata(store, formatImageRef(name), 'signatures')).toBe('1');
    const exported = store.folder.join(`exported-${images}`);
    await exportImage(store.host, name, `dir:${exported}`);
    expect(readFileSync(`${exported}/signature-1`)).toEqual(readFileSync(signature));
  },
);

test('checking a signature needs no folder for temporary files', async () => {
  const image = newImage();
  const name = await pushImage(registry, 'signed/no-tmp', image);
  trusted.sign(image.manifest, name, lookaside, 'signed/no-tmp');
  const host = { ...store.host, env: { ...store.host.env, TMPDIR: '/nope' } };
  expect((await pullImage(host, name, {})).image.reference).toBe(name);
  expect(listLeftovers(store)).toEqual([]);
});

test('an image that was stored before it was signed gets the signature with the next pull', async () => {
  const image = newImage();
  const name = await pushImage(registry, 'signed/later', image);
  const policy = `${store.host.env.HOME}/.config/containers/policy.json`;
  const strict = readFileSync(policy);
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  trusted.sign(image.manifest, name, lookaside, 'signed/later');
  const before = await pullImage(store.host, name, {});
  expect(readSignatures(store.host, before.image)).toEqual([]);
  writeFileSync(policy, strict);
  const after = await pullImage(store.host, name, {});
  expect([after.fetched, readSignatures(store.host, after.image).length]).toEqual([[], 1]);
  // It stays, and costs nothing, when no policy requires it any longer.
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  expect((await pullImage(store.host, name, {})).image.commit).toBe(after.image.commit);
  writeFileSync(policy, strict);
});

test('a registry that is silent while the copy is made', async () => {
  const image = newImage();
  await using faulty = await startFaultyRegistry(registry);
  const name = `${faulty.address}/signed/silent:latest`;
  await pushImage(registry, 'signed/silent', image);
  trusted.sign(image.manifest, name, lookaside, 'signed/silent');
  const configuration = `${store.host.env.HOME}/.config/containers`;
  for (const file of ['policy.json', 'registries.d/test.yaml', 'registries.conf']) {
    const text = readFileSync(`${configuration}/${file}`, 'utf8');
    writeFileSync(`${configuration}/${file}`, text.replaceAll(registry.address, faulty.address));
  }
  const until = Promise.withResolvers<void>();
  const path = `/blobs/${image.layers[0]?.digest}`;
  faulty.setRules([{ path, fault: { kind: 'hold', afterBytes: 10, until: until.promise } }]);
  expect(await failedPull(store, name, { silenceLimits: { answer: 500, bytes: 400 } })).toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    message: 'the registry has sent nothing for 0.5 s',
  });
  until.resolve();
  faulty.setRules([]);
  expect((await pullImage(store.host, name, {})).image.reference).toBe(name);
  for (const file of ['policy.json', 'registries.d/test.yaml', 'registries.conf']) {
    const text = readFileSync(`${configuration}/${file}`, 'utf8');
    writeFileSync(`${configuration}/${file}`, text.replaceAll(faulty.address, registry.address));
  }
});

test('an image with the signature of another key', async () => {
  const image = newImage();
  const name = await pushImage(registry, 'signed/stranger', image);
  stranger.sign(image.manifest, name, lookaside, 'signed/stranger');
  expect(await failedPull(store, name)).toEqual(
    rejection(`Source image rejected: Invalid GPG signature (key ${stranger.fingerprint})`),
  );
});

test('an image with a good signature for another name', async () => {
  const image = newImage();
  const name = await pushImage(registry, 'signed/renamed', image);
  trusted.sign(image.manifest, `${registry.address}/signed/original:latest`, lookaside, 'signed/renamed');
  expect(await failedPull(store, name)).toEqual(rejection('Source image rejected: Signature for identity'));
});

test('a tag that moved from a signed image to another one', async () => {
  const image = newImage();
  const name = await pushImage(registry, 'signed/moved', image);
  trusted.sign(image.manifest, name, lookaside, 'signed/moved');
  const { id } = (await pullImage(store.host, name, {})).image;
  await pushImage(registry, 'signed/moved', newImage());
  expect(await failedPull(store, name)).toEqual(rejection('Source image rejected'));
  expect((await listImages(store.host)).filter(({ reference }) => reference === name)).toMatchObject([
    { id },
  ]);
});

test('the image of a list for this machine needs its own signature', async () => {
  const image = newImage();
  const foreign = buildImage({
    layers: [tree`f a 0644 1`],
    platform: { os: 'linux', architecture: 's390x' },
  });
  const name = await pushImage(registry, 'signed/list', buildIndex([foreign, image]));
  expect((await failedPull(store, name)).code).toBe('POLICY_REJECTED');
  trusted.sign(image.manifest, name, lookaside, 'signed/list');
  expect((await pullImage(store.host, name, {})).image.id).toBe(image.manifest.digest.slice(7));
});

test('the stored images are sound', () => {
  checkRepository(store);
});
