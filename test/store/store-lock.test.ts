/** Pulls run side by side; a command that removes objects waits for them, and they wait for it. */
import { expect, setDefaultTimeout, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withExclusiveStore, withSharedStore } from '../../src/store/access/store-lock.ts';
import { createSandbox } from '../support/sandbox.ts';
import { TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

test('an exclusive action comes after shared ones, and before those that wait for it', async () => {
  await using sandbox = await createSandbox();
  const order: string[] = [];
  const step = (name: string, milliseconds: number) => async (): Promise<void> => {
    order.push(`${name} begins`);
    await sleep(milliseconds);
    order.push(`${name} ends`);
  };
  const first = withSharedStore(sandbox.host, () => withSharedStore(sandbox.host, step('pull', 100)));
  while (order.length === 0) await sleep(1);
  const second = withExclusiveStore(sandbox.host, step('prune', 100));
  while (!order.includes('prune begins')) await sleep(1);
  const third = withSharedStore(sandbox.host, step('install', 1));
  await Promise.all([first, second, third]);
  expect(order).toEqual([
    'pull begins',
    'pull ends',
    'prune begins',
    'prune ends',
    'install begins',
    'install ends',
  ]);
  expect(sandbox.events.map((event) => (event.kind === 'waiting' ? event.object : event.kind))).toEqual([
    'the image store',
    'the image store',
  ]);
});
