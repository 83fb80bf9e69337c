/** A pull that is killed leaves no image, no reader is confused, and the next pull fetches only the rest. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeLayerLedger } from '../../../src/store/layer-ledger.ts';
import { listBlobs, listImages } from '../../../src/store/list-images.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { type BuiltImage, buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { listLeftovers, listRecordedLayers, listWaiting } from '../../support/store/failed-pull.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import { pullInProcess } from '../../support/store/pull-in-process.ts';
import { checkOut, createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let faulty: FaultyRegistry;
let image: BuiltImage;
let name: string;
beforeAll(async () => {
  registry = await startRegistry();
  faulty = await startFaultyRegistry(registry);
  image = buildImage({ layers: [tree`d etc 0750`, tree`f etc/first 0644 1`, tree`f second 0644 2`] });
  await pushImage(registry, 'killed/image', image);
  name = `${faulty.address}/killed/image:latest`;
});
afterAll(async () => {
  await killed?.remove();
  await faulty.stop();
  await registry.stop();
});

test('twice in the middle of the last layer, long before a checkpoint', async () => {
  await using store = await createStore([faulty]);
  await killInLastLayer(store);
  expect(await listImages(store.host)).toEqual([]);
  expect(await listBlobs(store.host)).toEqual([]);
  expect(listLeftovers(store)).toEqual([]);
  expect(listRecordedLayers(store)).toHaveLength(2);
  checkRepository(store);

  const digests = image.layers.map(({ digest }) => digest);
  await killInLastLayer(store);
  expect(await registry.blobGets()).toEqual([image.config.digest, ...digests.slice(2)]);
  await registry.forgetRequests();
  const pulled = await pullImage(store.host, name, {});
  expect(pulled).toMatchObject({ fetched: digests.slice(2), reused: digests.slice(0, 2) });
  expect(pulled.bytesFetched).toBe(image.layers[2]?.size ?? 0);
  expect(await registry.blobGets()).toEqual([image.config.digest, ...digests.slice(2)]);
  expect(describeTree(await checkOut(store, pulled))).toEqual([
    'd . 0755 0:0',
    'd etc 0750 0:0',
    'f etc/first 0644 0:0 "1"',
    'f second 0644 0:0 "2"',
  ]);
  expect(listRecordedLayers(store)).toEqual([]);
  checkRepository(store);
});

/** What the first of two layers brings back again, the second need not. */
const losses: [title: string, lose: (store: Sandbox) => void, refetched: number][] = [
  ['the layer that was under way', () => undefined, 1],
  ['the machine was booted again', renameStaging, 3],
  ['a file is missing', (store) => removeStaged(store, '.file'), 2],
  ['a directory is missing', (store) => removeStaged(store, '.dirtree'), 3],
  ['the owner and mode of directories are missing', (store) => removeStaged(store, '.dirmeta'), 2],
  ['a commit is missing', (store) => changeWaiting(store, rmSync), 3],
  ['a commit is cut short', (store) => changeWaiting(store, (path) => truncateSync(path, 100)), 3],
  ['the ledger is empty files, as after a power cut', (store) => writeLedger(store, ''), 3],
  ['a prune has removed the ledger', ({ locations }) => removeLayerLedger(locations.repository), 3],
  ['the ledger leads elsewhere', (store) => writeLedger(store, '0'.repeat(64)), 3],
];

test.each(losses)('incomplete layers are fetched again: %s', async (_, lose, refetched) => {
  killed ??= await createKilledStore();
  await using store = await createStore([faulty]);
  await cp(killed.locations.checkouts, store.locations.checkouts, { recursive: true });
  lose(store);
  const pulled = await pullImage(store.host, name, {});
  expect(pulled.fetched).toHaveLength(refetched);
  expect(describeTree(await checkOut(store, pulled))).toHaveLength(4);
  checkRepository(store);
});

/** Made once; each test gets a copy. */
let killed: Sandbox | undefined;

async function createKilledStore(): Promise<Sandbox> {
  const store = await createStore([faulty]);
  await killInLastLayer(store);
  return store;
}

/** Pulls until the last layer arrives, and kills the process there. */
async function killInLastLayer(store: Sandbox): Promise<void> {
  const held = Promise.withResolvers<void>();
  const until = Promise.withResolvers<void>();
  const killer = new AbortController();
  faulty.setRules([
    {
      path: `/blobs/${image.layers[2]?.digest}`,
      fault: { kind: 'hold', afterBytes: 20, until: until.promise, reached: held.resolve },
    },
  ]);
  await registry.forgetRequests();
  const pulling = pullInProcess(store, name, { killSignal: killer.signal }).catch((error: Error) => error);
  await held.promise;
  // The last layer is asked for while the one before is being stored.
  while (listRecordedLayers(store).length < image.layers.length - 1) await sleep(5);
  killer.abort();
  expect(await pulling).toBeInstanceOf(Error);
  until.resolve();
  faulty.setRules([]);
}

function renameStaging(store: Sandbox): void {
  for (const folder of listStaging(store)) {
    renameSync(
      folder,
      folder.replace(/staging-[0-9a-f-]{36}/, `staging-${'0'.repeat(8)}-0000-0000-0000-000000000000`),
    );
  }
}

function removeStaged(store: Sandbox, ending: string): void {
  const removed = listStaging(store).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith(ending))
      .map((path) => `${folder}/${path}`),
  );
  expect(removed).not.toEqual([]);
  for (const path of removed) rmSync(path);
}

function changeWaiting(store: Sandbox, change: (path: string) => void): void {
  const paths = listWaiting(store);
  expect(paths).toHaveLength(2);
  for (const path of paths) change(path);
}

function listStaging(store: Sandbox): string[] {
  const tmp = `${store.locations.repository}/tmp`;
  return readdirSync(tmp)
    .filter((entry) => entry.startsWith('staging-') && !entry.endsWith('-lock'))
    .map((entry) => `${tmp}/${entry}`);
}

function writeLedger(store: Sandbox, text: string): void {
  const ledger = `${store.locations.repository}/tmp/atomic-layers`;
  const entries = readdirSync(ledger);
  expect(entries).toHaveLength(2);
  for (const entry of entries) writeFileSync(`${ledger}/${entry}`, text);
}
