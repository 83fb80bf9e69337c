import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { type FaultyRegistry, startFaultyRegistry } from './faulty-registry.ts';
import { buildImage } from './oci-image.ts';
import { type Registry, startRegistry } from './registry.ts';
import { pushImage } from './registry-push.ts';
import { tree } from './tree.ts';

const image = buildImage({ layers: [tree`f etc/one 0644 ${Buffer.alloc(4096, 1)}`] });
const blob = `/blobs/${image.layers[0]?.digest}`;
const honest = Buffer.from(image.layers[0]?.data ?? []);

let registry: Registry;
let faulty: FaultyRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  faulty = await startFaultyRegistry(registry);
  await pushImage(faulty, 'test', image);
});
beforeEach(() => faulty.setRules([]));
afterAll(async () => {
  await faulty.stop();
  await registry.stop();
});

const get = (): Promise<Response> => fetch(`http://${faulty.address}/v2/test${blob}`);

test('without rules everything passes, pushes too', async () => {
  expect(Buffer.from(await (await get()).bytes())).toEqual(honest);
  expect(await registry.blobGets()).toEqual([image.layers[0]?.digest ?? '']);
});

test('a cut ends the connection before the promised length, as often as the rule says', async () => {
  faulty.setRules([{ path: blob, times: 1, fault: { kind: 'cut', afterBytes: 10 } }]);
  const broken = await get();
  expect(broken.headers.get('content-length')).toBe(String(honest.length));
  await expect(broken.bytes()).rejects.toThrow();
  expect(Buffer.from(await (await get()).bytes())).toEqual(honest);
});

test('an answer of our own does not ask the registry', async () => {
  faulty.setRules([
    {
      path: /blobs/,
      fault: { kind: 'answer', status: 429, headers: { 'retry-after': '1' }, body: 'slowly' },
    },
  ]);
  await registry.forgetRequests();
  const response = await get();
  expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
    429,
    '1',
    'slowly',
  ]);
  expect(await registry.requests()).toEqual([]);
  expect(faulty.requests().at(-1)).toEqual({ method: 'GET', path: `/v2/test${blob}`, status: 429 });
});

test('a changed body has a true length', async () => {
  faulty.setRules([{ path: blob, fault: { kind: 'change', body: (bytes) => bytes.subarray(0, 7) } }]);
  const response = await get();
  expect(response.headers.get('content-length')).toBe('7');
  expect(Buffer.from(await response.bytes())).toEqual(honest.subarray(0, 7));
});

test('a held body waits for its release', async () => {
  const reached = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const fault = { kind: 'hold', afterBytes: 5, until: release.promise, reached: reached.resolve } as const;
  faulty.setRules([{ path: blob, fault }]);
  const order: string[] = [];
  const body = get().then(async (response) => {
    const bytes = Buffer.from(await response.bytes());
    order.push('complete');
    return bytes;
  });
  await reached.promise;
  order.push('released');
  release.resolve();
  expect(await body).toEqual(honest);
  expect(order).toEqual(['released', 'complete']);
});

test('a slow body is complete', async () => {
  faulty.setRules([{ path: blob, fault: { kind: 'slow', bytes: 50, milliseconds: 1 } }]);
  expect(Buffer.from(await (await get()).bytes())).toEqual(honest);
});
