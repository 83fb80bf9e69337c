import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError } from '../../../src/base/errors.ts';
import { type BlobDescriptor, parseManifest } from '../../../src/image/manifest.ts';
import { openThroughProxy } from '../../../src/source/image-source.ts';
import { openRenewableSource, type RenewableSource } from '../../../src/source/renewable-source.ts';
import type { SkopeoOptions } from '../../../src/source/skopeo/source-flags.ts';
import { BlobQueue } from '../../../src/store/pull/blob-queue.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

/** More than a pipe holds. */
const LARGE_BYTES = 3_000_000;
const tars = ['one', 'two', 'three'].map((name) => tree`f ${name} 0644 ${Buffer.alloc(LARGE_BYTES, name)}`);
const image = buildImage({ layers: tars.map((tar) => ({ tar, compression: 'none' })) });

let registry: Registry;
let faulty: FaultyRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  faulty = await startFaultyRegistry(registry);
  await pushImage(registry, 'queue/image', image);
});
afterAll(async () => {
  await faulty.stop();
  await registry.stop();
});

test('blobs come in their order, each whole, and the next is asked for before it is taken', async () => {
  await using store = await createStore([faulty]);
  await using opened = await open(store);
  using queue = new BlobQueue(opened.source, opened.layers);
  const asked = opened.layers.map(() => Promise.withResolvers<void>());
  faulty.setRules(
    opened.layers.map(({ digest }, index) => ({
      path: `/blobs/${digest}`,
      fault: { kind: 'hold', afterBytes: 0, until: Promise.resolve(), reached: asked[index]?.resolve },
    })),
  );
  for (const [index, layer] of opened.layers.entries()) {
    await readWhole(queue, layer);
    await asked[index + 1]?.promise;
  }
  faulty.setRules([]);
});

test('a later blob can be taken, and a blob that is not in the queue', async () => {
  await using store = await createStore([faulty]);
  await using opened = await open(store);
  const [first, second, third] = opened.layers as [BlobDescriptor, BlobDescriptor, BlobDescriptor];
  using queue = new BlobQueue(opened.source, [first, second]);
  for (const [index, layer] of [first, third, second, first, first].entries()) {
    expect([index, (await readWhole(queue, layer)).length]).toEqual([index, layer.size]);
  }
});

test('a blob that was opened and not taken does not block the next one', async () => {
  await using store = await createStore([faulty]);
  await using opened = await open(store);
  const [first] = opened.layers as [BlobDescriptor];
  {
    using queue = new BlobQueue(opened.source, opened.layers);
    await readWhole(queue, first);
  }
  const { proxy, image: handle } = opened.source;
  const { digest, data } = image.config;
  expect(Buffer.compare(await proxy.readBlob(handle, digest, data.length), data)).toBe(0);
});

test('a source that was opened again is asked again', async () => {
  await using store = await createStore([faulty]);
  await using opened = await open(store);
  using queue = new BlobQueue(opened.source, opened.layers);
  const [first, second] = opened.layers as [BlobDescriptor, BlobDescriptor];
  await readWhole(queue, first);
  await opened.source.renew();
  expect((await readWhole(queue, second)).length).toBe(second.size);
});

test('a blob that waits to be taken is not silence', async () => {
  await using store = await createStore([faulty]);
  await using opened = await open(store, { silenceLimits: { answer: 300, bytes: 300 } });
  using queue = new BlobQueue(opened.source, opened.layers);
  const [first, second] = opened.layers as [BlobDescriptor, BlobDescriptor];
  await readWhole(queue, first);
  await sleep(1000);
  expect((await readWhole(queue, second)).length).toBe(second.size);
});

test('the caller that takes a blob gets the error of its opening', async () => {
  await using store = await createStore([faulty]);
  await using opened = await open(store);
  const [first, second] = opened.layers as [BlobDescriptor, BlobDescriptor];
  faulty.setRules([{ path: `/blobs/${second.digest}`, fault: { kind: 'answer', status: 404 } }]);
  using queue = new BlobQueue(opened.source, opened.layers);
  await readWhole(queue, first);
  await sleep(300);
  await expect(readWhole(queue, second)).rejects.toBeInstanceOf(AtomicError);
  faulty.setRules([]);
});

interface Opened extends AsyncDisposable {
  readonly source: RenewableSource;
  readonly layers: readonly BlobDescriptor[];
}

async function open({ host }: Sandbox, options: SkopeoOptions = {}): Promise<Opened> {
  const name = `docker://${faulty.address}/queue/image`;
  const source = await openRenewableSource(() => openThroughProxy(host, name, options));
  const { layers } = parseManifest(source.manifest.toString());
  return { source, layers, [Symbol.asyncDispose]: () => source.close() };
}

/** The proxy has checked its digest. */
async function readWhole(queue: BlobQueue, layer: BlobDescriptor): Promise<Buffer> {
  const { stream, verified } = await queue.take(layer);
  const data = await buffer(stream);
  await verified;
  return data;
}
