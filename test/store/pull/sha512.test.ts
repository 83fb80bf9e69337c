/** Images whose blobs are named by sha512. skopeo reads those, but writes none. */

import { expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { computeDigest, toDigest } from '../../../src/image/digest.ts';
import { exportImage } from '../../../src/store/export/export.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { startFaultyRegistry } from '../../support/faulty-registry.ts';
import { nameBySha512 } from '../../support/oci-image.ts';
import { layoutBlobPath, writeLayout } from '../../support/oci-layout.ts';
import { startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { createSandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { checkRepository, listRefs } from '../../support/store/ostree-cli.ts';
import { checkOut, createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const image = nameBySha512({
  layers: [tree`f etc/one 0644 1`, { tar: tree`f etc/two 0600 2`, compression: 'none' }],
});

test('are pulled, verified and used like any others', async () => {
  await using store = await createSandbox();
  const source = await writeLayout(store.folder.join('layout'), image);
  const pulled = await pullImage(store.host, source, {});
  expect(pulled.image.layerDigests.map((digest) => digest.length)).toEqual([135, 135]);
  expect(describeTree(await checkOut(store, pulled))).toEqual([
    ...['d . 0755 0:0', 'd etc 0755 0:0', 'f etc/one 0644 0:0 "1"', 'f etc/two 0600 0:0 "2"'],
  ]);
  expect((await pullImage(store.host, source, {})).fetched).toEqual([]);
  const blobs = listRefs(store).filter((ref) => /^ociimage\/[0-9a-f]{128}$/.test(ref));
  expect(blobs).toHaveLength(3);
  expect(listRefs(store)).toHaveLength(4);
  checkRepository(store);
});

test('leave with the same bytes under digests of sha256, and a warning says so', async () => {
  await using store = await createSandbox();
  const { image: stored } = await pullImage(
    store.host,
    await writeLayout(store.folder.join('layout'), image),
    {},
  );
  const out = store.folder.join('out');
  const exported = await exportImage(store.host, stored.reference, `oci:${out}:x`);
  const reason = 'skopeo names blobs by sha256 only; its bytes are the same';
  expect([...exported.layers, exported.config].map((part) => part.reason)).toEqual([reason, reason, reason]);
  for (const [index, { data }] of [...image.layers, image.config].entries()) {
    const digest = toDigest(computeDigest('sha256', data));
    expect([...exported.layers, exported.config][index]?.digest).toBe(digest);
    expect(readFileSync(layoutBlobPath(out, digest)).equals(data)).toBe(true);
  }
  const again = await pullImage(store.host, `oci:${out}:x`, {}, 'again');
  expect(describeTree(await checkOut(store, again))).toEqual(
    describeTree(await checkOut(store, { image: stored })),
  );
});

test('a manifest is asked for by sha512, and compared with it', async () => {
  await using registry = await startRegistry();
  await pushImage(registry, 'team/etcd', image);
  await using other = await startFaultyRegistry(registry);
  await using store = await createStore([other]);
  const { data, mediaType, digest } = image.manifest;
  const name = `${other.address}/team/etcd@sha512:${createHash('sha512').update(data).digest('hex')}`;
  const serve = (body: string): void =>
    other.setRules([
      {
        path: /\/manifests\/sha512:/,
        fault: { kind: 'answer', status: 200, headers: { 'content-type': mediaType }, body },
      },
    ]);
  serve(Buffer.from(data).toString());
  const pulled = await pullImage(store.host, name, {});
  expect(pulled.image).toMatchObject({ reference: name, id: digest.slice('sha256:'.length) });
  expect((await pullImage(store.host, name, {})).fetched).toEqual([]);
  serve(`${Buffer.from(data)}\n`);
  expect(await failedPull(store, name)).toMatchObject({ code: 'DIGEST_MISMATCH' });
});

test('a blob that does not match its digest is refused', async () => {
  await using store = await createSandbox();
  const [first, ...others] = image.layers;
  const forged = { ...first, data: Buffer.concat([first?.data ?? Buffer.alloc(0), Buffer.from('x')]) };
  const layers = [forged as (typeof image.layers)[number], ...others];
  const source = await writeLayout(store.folder.join('layout'), { ...image, layers });
  expect((await failedPull(store, source)).code).toBe('DIGEST_MISMATCH');
});
