/**
 * Registries that do not exist, refuse, send false data or end in the middle: one clear error, and the next pull works.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { AtomicError, ErrorCode } from '../../../src/base/errors.ts';
import { listImages } from '../../../src/store/list-images.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type Fault, type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { failedPull, listChildren, type PullFailure } from '../../support/store/failed-pull.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import { createStore, pullLayers, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const NOT_FOUND =
  'Check the name and the tag; `skopeo list-tags docker://NAME` lists the tags of a repository.';
const UNREACHABLE =
  'Check that the registry is running and can be reached, then pull again; complete layers are kept.';
const AUTH = 'Give --creds USER:PASSWORD, or log in with `skopeo login REGISTRY`.';
const BROKEN = 'The registry has an internal error: look at its log, then pull again.';
const CHANGED =
  'The data was changed in the registry or file, or on the way. Nothing of this layer was stored.';

const noise = createHash('shake256', { outputLength: 3_000_000 }).update('noise').digest();
const image = buildImage({ layers: [tree`f first 0644 1`, tree`f noise 0644 ${noise}`] });
const [, large] = image.layers;
const REPOSITORY = 'bad/registry';

let registry: Registry;
let faulty: FaultyRegistry;
let store: Sandbox;
beforeAll(async () => {
  registry = await startRegistry();
  faulty = await startFaultyRegistry(registry);
  store = await createStore([registry, faulty, { address: '127.0.0.1:1' }, { address: 'nowhere.invalid' }]);
  await pullLayers(store, registry, [tree`f etc/stored 0644 before`]);
  await pushImage(registry, REPOSITORY, image);
});
afterAll(async () => {
  await store.remove();
  await faulty.stop();
  await registry.stop();
});

test('an unknown image, tag and digest', async () => {
  const { address } = registry;
  const digest = `sha256:${'0'.repeat(64)}`;
  const expected = (reference: string, repository: string, hint = NOT_FOUND): PullFailure => ({
    code: 'IMAGE_NOT_FOUND',
    message: `reading manifest ${reference} in ${address}/${repository}: manifest unknown`,
    hint,
  });
  expect(await failedPull(store, `${address}/unknown`)).toEqual(expected('latest', 'unknown'));
  expect(await failedPull(store, `${address}/${REPOSITORY}:9`)).toEqual(
    expected('9', REPOSITORY, expect.stringMatching(/^It has the tags latest/)),
  );
  expect(await failedPull(store, `${address}/${REPOSITORY}@${digest}`)).toEqual(expected(digest, REPOSITORY));
});

test('an unknown host, and one where nothing listens', async () => {
  expect(await failedPull(store, 'nowhere.invalid/etcd')).toEqual({
    code: 'REGISTRY_UNREACHABLE',
    // With or without a name server.
    message: expect.stringMatching(
      /^pinging container registry nowhere\.invalid: (?:the host nowhere\.invalid is unknown$|looking up the host nowhere\.invalid: )/,
    ),
    hint: expect.stringContaining('/etc/resolv.conf'),
  });
  expect(await failedPull(store, '127.0.0.1:1/etcd')).toEqual({
    code: 'REGISTRY_UNREACHABLE',
    message:
      'pinging container registry 127.0.0.1:1: Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    hint: UNREACHABLE,
  });
});

test('an address of IPv6, which skopeo 1.9 does not know', async () => {
  expect(await failedPull(store, '[::1]:5701/t/base')).toMatchObject({
    code: 'BAD_REFERENCE',
    message: expect.stringMatching(/invalid reference format$/),
    hint: expect.stringMatching(/name the host of the registry\.$/),
  });
});

const layerFaults: [title: string, fault: Fault, code: ErrorCode, reason: string, hint: string][] = [
  [
    'the connection is cut',
    { kind: 'cut', afterBytes: 1_000_000 },
    'REGISTRY_UNREACHABLE',
    'unexpected EOF',
    UNREACHABLE,
  ],
  [
    'the connection is cut at once',
    { kind: 'cut', afterBytes: 0 },
    'REGISTRY_UNREACHABLE',
    'unexpected EOF',
    UNREACHABLE,
  ],
  [
    'the registry answers 500',
    { kind: 'answer', status: 500, body: 'boom' },
    'TRANSFER_FAILED',
    'fetching blob: the registry answers 500',
    BROKEN,
  ],
  [
    'the registry answers 403',
    { kind: 'answer', status: 403 },
    'REGISTRY_AUTH',
    'fetching blob: the registry answers 403',
    AUTH,
  ],
  [
    'the registry has lost the layer',
    { kind: 'answer', status: 404 },
    'TRANSFER_FAILED',
    'fetching blob: the registry answers 404',
    'A part of the image is missing in the registry: push the image to it again.',
  ],
  [
    'one bit of the layer is another',
    { kind: 'change', body: (honest) => flipBit(honest, 2_000_000) },
    'DIGEST_MISMATCH',
    `corrupted blob, expecting ${large?.digest}`,
    CHANGED,
  ],
  [
    'the layer is another one, well formed',
    { kind: 'change', body: () => gzipSync(buildTar(tree`f evil 0644 1`)) },
    'DIGEST_MISMATCH',
    `corrupted blob, expecting ${large?.digest}`,
    CHANGED,
  ],
  [
    'the layer is shorter',
    { kind: 'change', body: (honest) => honest.subarray(0, 1_000_000) },
    'DIGEST_MISMATCH',
    `corrupted blob, expecting ${large?.digest}`,
    CHANGED,
  ],
  [
    'the layer is longer',
    { kind: 'change', body: (honest) => Buffer.concat([honest, honest]) },
    'DIGEST_MISMATCH',
    `corrupted blob, expecting ${large?.digest}`,
    CHANGED,
  ],
];

test.each(layerFaults)('%s', async (_, fault, code, reason, hint) => {
  faulty.setRules([{ path: `/blobs/${large?.digest}`, fault }]);
  expect(await failedPull(store, `${faulty.address}/${REPOSITORY}`)).toEqual({
    code,
    message: `layer ${large?.digest}: ${reason}`,
    hint,
  });
});

const otherFaults: [
  title: string,
  path: string | RegExp,
  fault: Fault,
  code: ErrorCode,
  reason: RegExp,
  hint: string,
][] = [
  [
    'the manifest answers 500',
    /\/manifests\//,
    { kind: 'answer', status: 500 },
    'TRANSFER_FAILED',
    /: the registry answers 500$/,
    BROKEN,
  ],
  [
    'the registry answers 500',
    /\/v2\/$/,
    { kind: 'answer', status: 500 },
    'TRANSFER_FAILED',
    /: the registry answers 500$/,
    BROKEN,
  ],
  [
    'the manifest is cut',
    /\/manifests\//,
    { kind: 'cut', afterBytes: 50 },
    'REGISTRY_UNREACHABLE',
    /^unexpected EOF$/,
    UNREACHABLE,
  ],
  [
    'the configuration is another one',
    `/blobs/${image.config.digest}`,
    { kind: 'change', body: () => Buffer.from('{}') },
    'DIGEST_MISMATCH',
    new RegExp(`^corrupted blob, expecting ${image.config.digest}$`),
    CHANGED,
  ],
  [
    'the configuration is cut',
    `/blobs/${image.config.digest}`,
    { kind: 'cut', afterBytes: 10 },
    'REGISTRY_UNREACHABLE',
    /^unexpected EOF$/,
    UNREACHABLE,
  ],
];

test.each(otherFaults)('%s', async (_, path, fault, code, reason, hint) => {
  faulty.setRules([{ path, fault }]);
  expect(await failedPull(store, `${faulty.address}/${REPOSITORY}`)).toEqual({
    code,
    message: expect.stringMatching(reason),
    hint,
  });
});

test('wrong credentials, none, and the right ones from an option or from auth.json', async () => {
  const credentials = { username: 'tester', password: 'secret' };
  await using guarded = await startRegistry({ credentials });
  const name = await pushImage(guarded, 'private/etcd', buildImage({ layers: [tree`f etc/name 0644 etcd`] }));
  await using stranger = await createStore([guarded]);
  const wrong = { credentials: { username: 'tester', password: 'wr0ng-password' } };
  const refused = `${guarded.address} refused the credentials of --creds: check the user, the password and the user's rights there.`;
  for (const [options, hint] of [
    [{}, AUTH],
    [wrong, refused],
  ] as const) {
    const failure = await failedPull(stranger, name, options);
    expect(failure).toEqual({
      code: 'REGISTRY_AUTH',
      message: expect.stringMatching(/authentication required$/),
      hint,
    });
    expect(failure.message).not.toContain('wr0ng-password');
  }
  expect((await pullImage(stranger.host, name, { credentials })).image.reference).toBe(name);
  const insecure = [guarded.address];
  await using friend = await createStore([], {
    containers: { insecure, credentials: { [guarded.address]: credentials } },
  });
  expect((await pullImage(friend.host, name, {})).image.reference).toBe(name);
});

test('the registry dies in the middle of a layer', async () => {
  const dying = await startFaultyRegistry(registry);
  await using fresh = await createStore([dying]);
  const { pulling } = await pullUntilHeld(fresh, dying);
  await dying.stop();
  const error = await pulling;
  expect([error?.code, error?.hint]).toEqual(['REGISTRY_UNREACHABLE', UNREACHABLE]);
  expect(await listImages(fresh.host)).toEqual([]);
  expect(listChildren('skopeo')).toEqual([]);
});

test('an interruption in the middle of a layer', async () => {
  await using fresh = await createStore([faulty]);
  const { pulling, release } = await pullUntilHeld(fresh, faulty);
  fresh.interrupt();
  const error = await pulling;
  release();
  expect(error?.code).toBe('INTERRUPTED');
  expect(await listImages(fresh.host)).toEqual([]);
  expect(listChildren('skopeo')).toEqual([]);
  checkRepository(fresh);
});

test('afterwards the image is pulled and the repository is sound', async () => {
  faulty.setRules([]);
  const pulled = await pullImage(store.host, `${faulty.address}/${REPOSITORY}`, {});
  expect(pulled.fetched.length + pulled.reused.length).toBe(2);
  checkRepository(store);
});

/** Starts a pull that stops in the middle of the large layer; `pulling` becomes its error. */
async function pullUntilHeld(
  sandbox: Sandbox,
  through: FaultyRegistry,
): Promise<{ pulling: Promise<AtomicError | undefined>; release: () => void }> {
  const held = Promise.withResolvers<void>();
  const until = Promise.withResolvers<void>();
  const fault: Fault = { kind: 'hold', afterBytes: 1_000_000, until: until.promise, reached: held.resolve };
  through.setRules([{ path: `/blobs/${large?.digest}`, fault }]);
  const pulling = pullImage(sandbox.host, `${through.address}/${REPOSITORY}`, { retryPauses: [] }).then(
    () => undefined,
    (error: AtomicError) => error,
  );
  await held.promise;
  expect(await listImages(sandbox.host)).toEqual([]);
  return { pulling, release: until.resolve };
}

function flipBit(data: Buffer, at: number): Buffer {
  const copy = Buffer.from(data);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
