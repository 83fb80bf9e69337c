/** A filesystem that is too small for an image: the error comes before the first fetch, or as soon as possible. */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { AtomicError } from '../../../src/base/errors.ts';
import { isErrno } from '../../../src/base/file-error.ts';
import { applyDeletion, planDeletion } from '../../../src/containers/cleanup/delete-images.ts';
import { pruneStore } from '../../../src/containers/cleanup/prune-store.ts';
import { listImages } from '../../../src/store/list-images.ts';
import { unmountRoot } from '../../../src/store/mount/unmount.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage, type LayerInput } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { createSigningKey } from '../../support/signing-key.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import { mountSmallDisk } from '../../support/store/small-disk.ts';
import { createStore, pullLayers, pushNew, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

/** What libostree keeps free unless the repository says something else. */
const RESERVED_PERCENT = 3;
const HINT = 'Free some space on the filesystem of the image store and try again.';

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());
beforeEach(() => registry.forgetRequests());

test('a layer that does not fit on the disk is NO_SPACE, complete layers stay, and other commands work', async () => {
  await using store = await createStore([registry]);
  await using disk = mountSmallDisk(store);
  const before = await pullLayers(store, registry, [tree`f etc/stored 0644 before`]);
  const filler = `${disk.path}/filler`;
  writeFileSync(filler, Buffer.alloc(12 * 1024 * 1024, 1));
  const fits = Buffer.alloc(12 * 1024 * 1024, 'fits without the filler');
  const name = await pushNew(registry, { layers: [tree`f small 0644 1`, tree`f large 0644 ${fits}`] });
  expect(await failedPull(store, name)).toEqual({
    code: 'NO_SPACE',
    message: expect.stringMatching(/layer sha256:[0-9a-f]{64}: .*(?:[Nn]o space left on|min-free-space)/),
    hint: HINT,
  });
  const after = await pullLayers(store, registry, [tree`f etc/stored 0644 after`]);
  expect([before.image, after.image]).toMatchObject(await listImages(store.host));
  checkRepository(store);

  rmSync(filler);
  const pulled = await pullImage(store.host, name, {});
  expect([pulled.fetched.length, pulled.reused.length]).toEqual([1, 1]);
  checkRepository(store);
});

test('an image fits to the byte, and with one byte more is refused before a layer is asked for', async () => {
  await using store = await createStore([registry]);
  await using disk = mountSmallDisk(store);
  const { image } = await pullLayers(store, registry, [tree`f etc/stored 0644 before`]);
  // The list keeps what it read, which takes a block.
  await listImages(store.host);
  const statistics = statfsSync(disk.path);
  const reserved = Math.floor((statistics.blocks * statistics.bsize * RESERVED_PERCENT) / 100);
  const available = statistics.bfree * statistics.bsize - reserved;
  const tooLarge = await pushNew(registry, { layers: [buildPlainLayer(available + 1)] });
  await registry.forgetRequests();
  const error = await pullImage(store.host, tooLarge, {}).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AtomicError);
  const { repository } = store.locations;
  const { code, message, hint, details } = error as AtomicError;
  expect({ code, message, hint, details }).toEqual({
    code: 'NO_SPACE',
    message: `pulling ${tooLarge}: it does not fit into ${repository}: at least ${available + 1} bytes are needed, ${available} are free beside ${reserved} that must stay free`,
    hint: `Free some space there and pull again; nothing was fetched. See df ${repository} .`,
    details: {
      path: repository,
      bytesNeeded: available + 1,
      bytesAvailable: available,
      bytesReserved: reserved,
      inodesNeeded: 9,
      inodesAvailable: statistics.ffree,
    },
  });
  // The configuration says which layers are there under another name.
  expect(await registry.blobGets()).toHaveLength(1);
  expect([image]).toMatchObject(await listImages(store.host));

  const exact = await pushNew(registry, { layers: [buildPlainLayer(available)] });
  expect((await pullImage(store.host, exact, {})).bytesFetched).toBe(available);
  checkRepository(store);
});

test('an image that is copied for verification needs its space twice', async () => {
  await using key = await createSigningKey();
  const policy = { default: [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: key.publicKey }] };
  await using store = await createStore([registry], { containers: { policy } });
  await using _disk = mountSmallDisk(store);
  const bytes = 12 * 1024 * 1024;
  const name = await pushNew(registry, { layers: [buildPlainLayer(bytes)] });
  await registry.forgetRequests();
  const error = (await pullImage(store.host, name, {}).catch((reason: unknown) => reason)) as AtomicError;
  expect([error.code, error.details?.bytesNeeded]).toEqual(['NO_SPACE', 2 * bytes]);
  expect(await registry.blobGets()).toEqual([]);
});

test('a filesystem without free inodes is refused before a layer is asked for', async () => {
  await using store = await createStore([registry]);
  await using disk = mountSmallDisk(store);
  await pullLayers(store, registry, [tree`f etc/stored 0644 before`]);
  const name = await pushNew(registry, { layers: [tree`f a 0644 1`, tree`f b 0644 2`] });
  mkdirSync(`${disk.path}/files`);
  for (let left = statfsSync(disk.path).ffree - 11; left > 0; left--)
    writeFileSync(`${disk.path}/files/${left}`, '');
  await registry.forgetRequests();
  const error = (await pullImage(store.host, name, {}).catch((reason: unknown) => reason)) as AtomicError;
  expect([error.code, error.message.replace(/.*: /, '')]).toEqual([
    'NO_SPACE',
    'at least 12 files are needed, 11 can be made',
  ]);
  expect(await registry.blobGets()).toHaveLength(1);
});

test('layers that are stored with another compression need no space', async () => {
  await using store = await createStore([registry]);
  await using _disk = mountSmallDisk(store);
  const layers = [tree`f large 0644 ${randomBytes(12 * 1024 * 1024)}`];
  await pullImage(store.host, await pushNew(registry, { layers }), {});
  const plain = buildImage({ layers: layers.map((tar) => ({ tar, compression: 'none' as const })) });
  const name = await pushImage(registry, 'full/plain', plain);
  await registry.forgetRequests();
  expect((await pullImage(store.host, name, {})).fetched).toEqual([]);
  expect(await registry.blobGets()).toHaveLength(1);
  checkRepository(store);
});

test('on a disk without a free block images are deleted and pruned, and unmount reports that nothing is mounted', async () => {
  await using store = await createStore([registry]);
  await using disk = mountSmallDisk(store);
  const noise = createHash('shake256', { outputLength: 2 * 1024 * 1024 })
    .update('')
    .digest();
  const large = (await pullLayers(store, registry, [tree`f large 0644 ${noise}`])).image;
  const kept = (await pullLayers(store, registry, [tree`f small 0644 1`])).image;
  // The remains of a killed install, and its folder of locks.
  const half = `${disk.path}/.web.0.new`;
  mkdirSync(half);
  mkdirSync(`${store.locations.state}/locks`, { recursive: true });
  fillDisk(disk.path);
  expect(() => mkdirSync(`${disk.path}/folder`)).toThrow('ENOSPC');
  const unmounted = unmountRoot(store.host, store.folder.path);
  expect(await unmounted.catch((error: unknown) => error)).toMatchObject({ code: 'NOT_MOUNTED' });

  const selection = { kind: 'written', words: [large.reference] } as const;
  await applyDeletion(store.host, await planDeletion(store.host, selection));
  expect([kept]).toMatchObject(await listImages(store.host));
  const pruned = await pruneStore(store.host);
  expect(pruned.leftovers).toEqual([half]);
  expect(pruned.bytes).toBeGreaterThan(noise.length);
  expect(statfsSync(disk.path).bfree * statfsSync(disk.path).bsize).toBeGreaterThan(noise.length);
  checkRepository(store);
});

/** Writes until not even root finds a block, and no directory can be made. */
function fillDisk(path: string): void {
  const file = openSync(`${path}/filler`, 'a');
  for (const bytes of [1024 * 1024, 1024, 1024]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(bytes, 1));
    } catch (error) {
      if (!isErrno(error, 'ENOSPC')) throw error;
    }
    // Gives back what the filesystem had set aside for blocks that it had not placed yet.
    fsyncSync(file);
  }
  closeSync(file);
}

/** An uncompressed layer of exactly so many bytes, whose files fill whole blocks and are a little smaller. */
function buildPlainLayer(bytes: number): LayerInput {
  const content = createHash('shake256', { outputLength: bytes - 64 * 1024 })
    .update('noise')
    .digest();
  const tar = buildTar(tree`f large 0644 ${content}`);
  return { compression: 'none', tar: Buffer.concat([tar, Buffer.alloc(bytes - tar.length)]) };
}
