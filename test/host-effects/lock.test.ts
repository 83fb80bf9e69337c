import { expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock, withLockIfFree } from '../../src/host/locks/lock.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const holder = new URL('lock-holder.ts', import.meta.url).pathname;

/** Another process that holds the lock until it is killed. */
async function holdLock(path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [holder, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

const request = (sandbox: Sandbox) => ({
  path: sandbox.folder.join('etcd'),
  object: 'etcd',
  purpose: 'atomic install etcd',
});

test('the file names the holder and is gone afterwards', async () => {
  await using sandbox = await createSandbox();
  const result = await withLock(sandbox.host, request(sandbox), async () => {
    expect(await readFile(sandbox.folder.join('etcd'), 'utf8')).toBe(
      `process ${process.pid}: atomic install etcd\n`,
    );
    return 42;
  });
  expect(result).toBe(42);
  expect(await readdir(sandbox.folder.path)).toEqual(['containers']);
  expect(sandbox.events).toEqual([]);
});

test('waits for another process, names it, and continues when it is killed', async () => {
  await using sandbox = await createSandbox();
  const child = await holdLock(sandbox.folder.join('etcd'));
  expect(await withLockIfFree(request(sandbox), async () => 'taken')).toEqual({ kind: 'busy' });
  const waiting = withLock(sandbox.host, request(sandbox), async () => 'mine');
  while (sandbox.events.length === 0) await sleep(5);
  child.kill('SIGKILL');
  expect(await waiting).toBe('mine');
  expect(sandbox.events).toEqual([
    { kind: 'waiting', object: 'etcd', holder: `process ${child.pid}: atomic test etcd` },
  ]);
  expect(await readdir(sandbox.folder.path)).toEqual(['containers']);
});

test('an interruption ends the wait', async () => {
  await using sandbox = await createSandbox();
  const child = await holdLock(sandbox.folder.join('etcd'));
  const waiting = withLock(sandbox.host, request(sandbox), async () => 'mine').catch(
    (error: unknown) => error,
  );
  while (sandbox.events.length === 0) await sleep(5);
  sandbox.interrupt();
  expect(await waiting).toMatchObject({ code: 'INTERRUPTED' });
  child.kill('SIGKILL');
});

test('a failing action frees the lock', async () => {
  await using sandbox = await createSandbox();
  const failing = withLock(sandbox.host, request(sandbox), () => Promise.reject(new Error('no')));
  expect(await failing.catch((error: unknown) => error)).toEqual(new Error('no'));
  expect(await withLockIfFree(request(sandbox), async () => 'free')).toEqual({ kind: 'done', value: 'free' });
});

test('many waiters have it one at a time', async () => {
  await using sandbox = await createSandbox();
  let inside = 0;
  const order = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      withLock(sandbox.host, request(sandbox), async () => {
        inside += 1;
        expect(inside).toBe(1);
        await sleep(2);
        inside -= 1;
        return index;
      }),
    ),
  );
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});
