/** A command waits for another program that holds the lock of libostree, reports the wait, and can be interrupted. */
import { expect, setDefaultTimeout, test } from 'bun:test';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLockBytes } from '../../src/native/libc.ts';
import { withRepository } from '../../src/ostree/repository.ts';
import { withTransaction } from '../../src/ostree/transaction.ts';
import { pruneRepository } from '../../src/store/prune/prune.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

/** As the program of OSTree holds it: a lock of another open file. */
function holdRepository(store: Sandbox): () => void {
  const file = openSync(`${store.locations.repository}/.lock`, 'a+');
  expect(tryLockBytes(file, 'exclusive', { start: 0, length: 0 })).toBe(true);
  return () => closeSync(file);
}

const write = (store: Sandbox) =>
  withRepository(store.host, (repo) =>
    withTransaction(store.host, repo, 'storing nothing', () => 'stored' as const),
  );
const prune = (store: Sandbox) => pruneRepository(store.host, []).then(() => 'pruned' as const);

test.each([
  ['a transaction', write, 'stored'],
  ['a prune', prune, 'pruned'],
] as const)('%s waits, says so, can be interrupted, and goes on', async (_, act, done) => {
  await using store = await createStore([]);
  await write(store);
  const release = holdRepository(store);
  const interrupted = act(store);
  const isWaiting = () => store.events.some(({ kind }) => kind === 'waiting');
  while (!isWaiting()) await sleep(5);
  store.interrupt();
  await expect(interrupted).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(store.events).toContainEqual({
    kind: 'waiting',
    object: `the repository ${store.locations.repository}`,
    holder: undefined,
  });
  await using again = { ...store, host: { ...store.host, signal: new AbortController().signal } };
  const waiting = act(again);
  await sleep(20);
  release();
  expect(await waiting).toBe(done);
});

test('a wait ends when libostree would give up', async () => {
  await using store = await createStore([]);
  await write(store);
  appendFileSync(`${store.locations.repository}/config`, 'lock-timeout-secs=0\n');
  const release = holdRepository(store);
  for (const act of [write, prune]) {
    await expect(act(store)).rejects.toMatchObject({ code: 'LOCK_BUSY' });
  }
  release();
  expect(await write(store)).toBe('stored');
});
