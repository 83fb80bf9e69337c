/** A registry that keeps the connection and sends nothing: the wait is reported, and has a limit. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { toDigest } from '../../../src/image/digest.ts';
import { captureTransfer } from '../../../src/source/skopeo/silence.ts';
import { pushImage as pushToRegistry } from '../../../src/store/export/export.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const noise = createHash('shake256', { outputLength: 400_000 }).update('noise').digest();
const image = buildImage({ layers: [tree`f noise 0644 ${noise}`] });
const layer = toDigest(image.layers[0]?.digest ?? '');
const silenceLimits = { answer: 500, bytes: 400 };
const HINT = 'Check the registry and the network; then repeat the command, complete layers are kept.';

let registry: Registry;
let faulty: FaultyRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  faulty = await startFaultyRegistry(registry);
  await pushImage(registry, 'silent/image', image);
});
afterAll(async () => {
  await faulty.stop();
  await registry.stop();
});

test.each<[title: string, path: string | RegExp, afterBytes: number, seconds: number, wrap: string]>([
  ['instead of a manifest', /\/manifests\//, 0, 0.5, ''],
  ['instead of the configuration', `/blobs/${image.config.digest}`, 0, 0.5, ''],
  ['instead of a layer', `/blobs/${layer}`, 0, 0.5, `layer ${layer}: `],
  ['in the middle of a layer', `/blobs/${layer}`, 100_000, 0.4, `layer ${layer}: `],
])('silence %s ends the pull', async (_, path, afterBytes, seconds, wrap) => {
  await using store = await createStore([faulty]);
  const until = Promise.withResolvers<void>();
  faulty.setRules([{ path, fault: { kind: 'hold', afterBytes, until: until.promise } }]);
  expect(await failedPull(store, `${faulty.address}/silent/image`, { silenceLimits })).toEqual({
    code: 'REGISTRY_UNREACHABLE',
    message: `${wrap}the registry has sent nothing for ${seconds} s`,
    hint: HINT,
  });
  until.resolve();
});

test('silence instead of the bytes of a manifest that the image proxy has converted', async () => {
  await using store = await createStore([faulty]);
  await pushImage(registry, 'silent/docker', buildImage({ kind: 'docker', layers: [tree`f a 0644 1`] }));
  const until = Promise.withResolvers<void>();
  const fault = { kind: 'hold', afterBytes: 0, until: until.promise } as const;
  faulty.setRules([{ path: /\/manifests\/sha256:/, fault }]);
  expect(await failedPull(store, `${faulty.address}/silent/docker`, { silenceLimits })).toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    message: 'the registry has sent nothing for 0.5 s',
  });
  until.resolve();
});

test('it is tried again, and the wait is reported', async () => {
  await using store = await createStore([faulty]);
  const until = Promise.withResolvers<void>();
  const fault = { kind: 'hold', afterBytes: 100_000, until: until.promise } as const;
  faulty.setRules([{ path: `/blobs/${layer}`, times: 1, fault }]);
  const name = `${faulty.address}/silent/image`;
  const pulled = await pullImage(store.host, name, { silenceLimits, retryPauses: [1] });
  until.resolve();
  expect(pulled.fetched).toEqual([layer]);
  expect(store.events.filter(({ kind }) => kind === 'warning' || kind === 'step')).toEqual([
    { kind: 'step', text: `Opening ${name}` },
    { kind: 'step', text: 'Reading the configuration of the image' },
    {
      kind: 'warning',
      text: `layer ${layer}: the registry has sent nothing for 0.4 s; try 2 of 2 in 0.001 s`,
    },
  ]);
});

test('a slow transfer is no silence', async () => {
  await using store = await createStore([faulty]);
  faulty.setRules([{ path: `/blobs/${layer}`, fault: { kind: 'slow', bytes: 40_000, milliseconds: 150 } }]);
  const pulled = await pullImage(store.host, `${faulty.address}/silent/image`, {
    silenceLimits,
    retryPauses: [],
  });
  expect(pulled.fetched).toEqual([layer]);
});

test('silence ends a push, too', async () => {
  await using store = await createStore([registry, faulty]);
  const { image: pulled } = await pullImage(store.host, `${registry.address}/silent/image`, {});
  const until = Promise.withResolvers<void>();
  const fault = { kind: 'hold', afterBytes: 0, until: until.promise } as const;
  faulty.setRules([{ method: 'POST', path: /\/blobs\/uploads\//, fault }]);
  const pushed = pushToRegistry(store.host, pulled.reference, `${faulty.address}/pushed/image:1`, {
    silenceLimits,
    retryPauses: [],
  });
  await expect(pushed).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE', hint: HINT });
  until.resolve();
});

test('a program that transfers bytes is not stopped, with any duration', async () => {
  await using store = await createStore([]);
  const script = 'for i in 1 2 3 4 5 6 7 8; do echo $i; read -t 0.1 <> <(:) || :; done';
  const { exitCode, stdout } = await captureTransfer(store.host, ['bash', '-c', script], {
    answer: 400,
    bytes: 400,
  });
  expect([exitCode, stdout]).toEqual([0, '1\n2\n3\n4\n5\n6\n7\n8\n']);
});
