/** A failed pull leaves complete layers with their refs, on the disk, so that the next pull fetches the rest. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError } from '../../../src/base/errors.ts';
import { type Digest, toDigest } from '../../../src/image/digest.ts';
import { formatBlobRef } from '../../../src/image/ref-name.ts';
import { listImages } from '../../../src/store/list-images.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type Fault, type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { run } from '../../support/run.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { listChildren, listRecordedLayers } from '../../support/store/failed-pull.ts';
import { checkRepository, listRefs } from '../../support/store/ostree-cli.ts';
import { createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const PAUSES = [1, 1, 1];
const image = buildImage({ layers: [tree`f first 0644 1`, tree`f second 0644 2`] });
const other = buildImage({ layers: [tree`f first 0644 1`, tree`f second 0644 3`] });
const [first, second] = [0, 1].map((index) => toDigest(image.layers[index]?.digest ?? '')) as [
  Digest,
  Digest,
];
const REPOSITORY = 'failed/layers';

let registry: Registry;
let faulty: FaultyRegistry;
let name: string;
beforeAll(async () => {
  registry = await startRegistry();
  faulty = await startFaultyRegistry(registry);
  name = `${faulty.address}/${REPOSITORY}:latest`;
});
afterAll(async () => {
  await faulty.stop();
  await registry.stop();
});

test.each<[title: string, end: (store: Sandbox) => void]>([
  ['an interruption', (store) => store.interrupt()],
  ['the end of the registry', () => undefined],
])('complete layers have refs after %s, also when the machine is booted after that', async (_, end) => {
  await pushImage(registry, REPOSITORY, image);
  await using store = await createStore([faulty]);
  const held = Promise.withResolvers<void>();
  const until = Promise.withResolvers<void>();
  faulty.setRules([
    {
      path: `/blobs/${second}`,
      fault: { kind: 'hold', afterBytes: 10, until: until.promise, reached: held.resolve },
    },
  ]);
  const pulling = failure(pullImage(store.host, name, { retryPauses: [] }));
  await held.promise;
  // The second is asked for while the first is being stored.
  while (listRecordedLayers(store).length === 0) await sleep(5);
  end(store);
  until.reject(new Error('cut on purpose'));
  expect((await pulling).code).toMatch(/^(?:INTERRUPTED|REGISTRY_UNREACHABLE)$/);
  expect(listRefs(store)).toEqual([formatBlobRef(first)]);
  expect(listRecordedLayers(store)).toEqual([]);
  expect(await listImages(store.host)).toEqual([]);
  checkRepository(store);
  loseStaging(store);

  faulty.setRules([]);
  const host = { ...store.host, signal: new AbortController().signal };
  expect(await pullImage(host, name, {})).toMatchObject({ fetched: [second], reused: [first] });
});

test('an image that is at fault keeps no layer', async () => {
  const broken = buildImage({ layers: [tree`f first 0644 1`, { tar: Buffer.alloc(2048, 'x') }] });
  await pushImage(registry, 'failed/broken', broken);
  await using store = await createStore([registry]);
  const error = await failure(pullImage(store.host, `${registry.address}/failed/broken`, {}));
  expect(error.code).toBe('LAYER_REJECTED');
  expect(listRefs(store)).toEqual([]);
});

const skopeoMinor = Number(/ 1\.([0-9]+)/.exec(run(['skopeo', '--version']))?.[1]);
/** A connection that breaks is opened once more by skopeo itself since 1.11, which counts as a try. */
const triesAfterCut = skopeoMinor >= 11 ? [3] : [2, 3, 4];
const allTries = [2, 3, 4];

const passing: [title: string, path: string, fault: Fault, warning: RegExp, tries: number[]][] = [
  [
    'a layer is cut',
    `/blobs/${second}`,
    { kind: 'cut', afterBytes: 20 },
    /^layer sha256:\w+: unexpected EOF/,
    triesAfterCut,
  ],
  [
    'a layer answers 503',
    `/blobs/${second}`,
    { kind: 'answer', status: 503 },
    /^layer sha256:.*: fetching blob: the registry answers 503/,
    allTries,
  ],
  [
    'the configuration is cut',
    `/blobs/${image.config.digest}`,
    { kind: 'cut', afterBytes: 10 },
    /^configuration of the image: unexpected EOF/,
    triesAfterCut,
  ],
  [
    'the manifest answers 500',
    '/manifests/latest',
    { kind: 'answer', status: 500 },
    /^opening .*the registry answers 500/,
    allTries,
  ],
];

test.each(passing)('a fault that passes: %s', async (_, path, fault, warning, tries) => {
  await pushImage(registry, REPOSITORY, image);
  await using store = await createStore([faulty]);
  faulty.setRules([{ path, times: PAUSES.length, fault }]);
  const pulled = await pullImage(store.host, name, { retryPauses: PAUSES });
  expect(pulled.fetched).toEqual([first, second]);
  expect(listWarnings(store)).toEqual(
    tries.map((attempt) =>
      expect.stringMatching(new RegExp(`${warning.source}; try ${attempt} of 4 in 0\\.001 s$`)),
    ),
  );
  expect(listChildren('skopeo')).toEqual([]);
  checkRepository(store);
});

test('a fault that stays ends the pull after the last try', async () => {
  await pushImage(registry, REPOSITORY, image);
  await using store = await createStore([faulty]);
  faulty.setRules([{ path: `/blobs/${second}`, fault: { kind: 'cut', afterBytes: 20 } }]);
  const before = faulty.requests().length;
  const error = await failure(pullImage(store.host, name, { retryPauses: PAUSES }));
  expect(error.code).toBe('REGISTRY_UNREACHABLE');
  const tries = faulty
    .requests()
    .slice(before)
    .filter(({ path }) => path.endsWith(second));
  expect(tries).toHaveLength(1 + PAUSES.length);
});

test.each([400, 401, 404])('an answer of %d is final', async (status) => {
  await pushImage(registry, REPOSITORY, image);
  await using store = await createStore([faulty]);
  faulty.setRules([{ path: `/blobs/${second}`, fault: { kind: 'answer', status } }]);
  const before = faulty.requests().length;
  await failure(pullImage(store.host, name, { retryPauses: PAUSES }));
  expect(listWarnings(store)).toEqual([]);
  const tries = faulty
    .requests()
    .slice(before)
    .filter(({ path }) => path.endsWith(second));
  expect(tries).toHaveLength(1);
});

test('a new image proxy takes the place of one that died', async () => {
  await pushImage(registry, REPOSITORY, image);
  await using store = await createStore([faulty]);
  const until = Promise.withResolvers<void>();
  const kill = (): void => {
    for (const pid of listChildren('skopeo')) process.kill(pid, 'SIGKILL');
    until.resolve();
  };
  faulty.setRules([
    {
      path: `/blobs/${second}`,
      times: 1,
      fault: { kind: 'hold', afterBytes: 20, until: until.promise, reached: kill },
    },
  ]);
  const pulled = await pullImage(store.host, name, { retryPauses: PAUSES });
  expect(pulled.fetched).toEqual([first, second]);
  expect(listWarnings(store)).toEqual([
    expect.stringMatching(/^layer sha256:.*: reading from the image proxy: skopeo ended; try 2 of 4/),
  ]);
});

test('a tag that moves between two tries is not mixed', async () => {
  await pushImage(registry, REPOSITORY, image);
  await using store = await createStore([faulty]);
  const moved = Promise.withResolvers<void>();
  faulty.setRules([
    {
      path: `/blobs/${second}`,
      fault: {
        kind: 'hold',
        afterBytes: 10,
        until: moved.promise,
        reached: () => void pushImage(registry, REPOSITORY, other).then(() => moved.reject(new Error('cut'))),
      },
    },
  ]);
  const error = await failure(pullImage(store.host, name, { retryPauses: PAUSES }));
  expect(error).toMatchObject({
    code: 'TRANSFER_FAILED',
    message: expect.stringContaining('another image now'),
  });
  faulty.setRules([]);
  expect(await pullImage(store.host, name, {})).toMatchObject({ reused: [first] });
});

test('an interruption ends a pause at once', async () => {
  await pushImage(registry, REPOSITORY, image);
  await using store = await createStore([faulty]);
  faulty.setRules([{ path: `/blobs/${second}`, fault: { kind: 'answer', status: 503 } }]);
  const paused = Promise.withResolvers<void>();
  const host = {
    ...store.host,
    report: (event: { kind: string }) => event.kind === 'warning' && paused.resolve(),
  };
  const pulling = failure(pullImage(host, name, { retryPauses: [3_600_000] }));
  await paused.promise;
  store.interrupt();
  expect((await pulling).code).toBe('INTERRUPTED');
});

async function failure(pulling: Promise<unknown>): Promise<AtomicError> {
  const error: unknown = await pulling.then(
    () => new Error('the pull succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof AtomicError) return error;
  throw error;
}

function listWarnings(store: Sandbox): string[] {
  return store.events.flatMap((event) => (event.kind === 'warning' ? [event.text] : []));
}

/** As libostree does after the next boot. */
function loseStaging(store: Sandbox): void {
  const tmp = `${store.locations.repository}/tmp`;
  for (const entry of readdirSync(tmp)) {
    if (entry.startsWith('staging-')) rmSync(`${tmp}/${entry}`, { recursive: true });
  }
}
