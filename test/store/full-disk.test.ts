/** A filesystem that is too small for a layer. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { listImages } from '../../src/store/list-images.ts';
import { pullImage } from '../../src/store/pull.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { tree } from '../support/tree.ts';
import { failedPull } from './failed-pull.ts';
import { checkRepository } from './ostree-cli.ts';
import { createStore, pullLayers, pushNew, TEST_TIMEOUT_MS } from './store-fixture.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const DISK_BYTES = 24 * 1024 * 1024;
const LARGE = Buffer.alloc(32 * 1024 * 1024, 'compresses well');
const HINT = 'Free some space on the filesystem of the image store and try again.';

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

test('a layer that does not fit is NO_SPACE, and everything else goes on', async () => {
  await using store = await createStore([registry]);
  const unmount = mountSmallDisk(store);
  try {
    const before = await pullLayers(store, registry, [tree`f etc/stored 0644 before`]);
    const name = await pushNew(registry, { layers: [tree`f small 0644 1`, tree`f large 0644 ${LARGE}`] });
    expect(await failedPull(store, name)).toEqual({
      code: 'NO_SPACE',
      message: expect.stringMatching(/layer sha256:[0-9a-f]{64}: .*(?:[Nn]o space left on|min-free-space)/),
      hint: HINT,
    });
    const after = await pullLayers(store, registry, [tree`f etc/stored 0644 after`]);
    expect(await listImages(store.host)).toEqual([before.image, after.image]);
    checkRepository(store);
  } finally {
    unmount();
  }
});

test('a repository on a filesystem that is read-only', async () => {
  await using store = await createStore([registry]);
  const unmount = mountSmallDisk(store);
  try {
    await pullLayers(store, registry, [tree`f etc/stored 0644 before`]);
    const name = await pushNew(registry, { layers: [tree`f other 0644 1`] });
    run('mount', '-o', 'remount,ro', store.locations.checkouts);
    expect((await failedPull(store, name)).code).toBe('READ_ONLY');
    run('mount', '-o', 'remount,rw', store.locations.checkouts);
    expect((await pullImage(store.host, name, {})).image.reference).toBe(name);
  } finally {
    unmount();
  }
});

/** Puts a filesystem of its own below the store. @returns what takes it away again */
function mountSmallDisk(store: Sandbox): () => void {
  const disk = store.folder.join('disk');
  writeFileSync(disk, '');
  truncateSync(disk, DISK_BYTES);
  run('mkfs.ext4', '-q', disk);
  mkdirSync(store.locations.checkouts, { recursive: true });
  run('mount', '-o', 'loop', disk, store.locations.checkouts);
  return () => run('umount', store.locations.checkouts);
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
