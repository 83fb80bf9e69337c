/** Scratch folders are removed after use, and those of crashed processes by the next command. */
import { expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { removeAbandonedScratch, withScratch } from '../../src/store/scratch.ts';
import { createSandbox } from '../support/sandbox.ts';
import { TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

test('a folder is created at the first opening, shared by all callers, and removed afterwards', async () => {
  await using store = await createSandbox();
  const temporary = `${store.locations.repository}/tmp`;
  await withScratch(store.host, async () => undefined);
  expect(existsSync(temporary)).toBe(false);
  const failure = withScratch(store.host, async (scratch) => {
    const [path, same] = await Promise.all([scratch.open(), scratch.open()]);
    expect(same).toBe(path);
    expect(path).toMatch(/\/tmp\/atomic-scratch-\w{6}$/);
    writeFileSync(`${path}/file`, 'x');
    throw new Error('on purpose');
  });
  await expect(failure).rejects.toThrow('on purpose');
  expect(readdirSync(temporary)).toEqual([]);
});

test('a folder in use stays, one that a crash has left is removed', async () => {
  await using store = await createSandbox();
  const left = `${store.locations.repository}/tmp/atomic-scratch-left`;
  await withScratch(store.host, async (first) => {
    const used = await first.open();
    mkdirSync(`${left}/image`, { recursive: true });
    expect(await removeAbandonedScratch(store.host)).toEqual([left]);
    mkdirSync(left);
    await withScratch(store.host, async (second) => {
      await second.open();
      expect([existsSync(left), existsSync(used)]).toEqual([false, true]);
    });
  });
});
