import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { locksByte, parseHolders } from '../../src/host/locks/lock-holder.ts';
import { withStandingLock } from '../../src/host/locks/standing-lock.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const request = (sandbox: Sandbox, mode: 'shared' | 'exclusive') => ({
  path: sandbox.folder.join('lock'),
  mode,
  object: 'the store',
});

/** Another process that holds the lock until it is killed. */
async function holdLock(path: string, mode: '--shared' | '--exclusive') {
  const child = spawn('flock', ['--no-fork', mode, path, 'sh', '-c', 'echo locked; read answer'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('shared ones go together, also nested', async () => {
  await using sandbox = await createSandbox();
  const child = await holdLock(sandbox.folder.join('lock'), '--shared');
  const shared = request(sandbox, 'shared');
  const result = await withStandingLock(sandbox.host, shared, () =>
    withStandingLock(sandbox.host, shared, async () => 42),
  );
  expect(result).toBe(42);
  expect(sandbox.events).toEqual([]);
  child.kill('SIGKILL');
});

test.each([
  ['shared', '--exclusive'],
  ['exclusive', '--shared'],
  ['exclusive', '--exclusive'],
] as const)('%s waits for %s, says for whom, and goes on', async (mode, other) => {
  await using sandbox = await createSandbox();
  const child = await holdLock(sandbox.folder.join('lock'), other);
  const waiting = withStandingLock(sandbox.host, request(sandbox, mode), async () => 'mine');
  while (sandbox.events.length === 0) await sleep(5);
  child.kill('SIGKILL');
  expect(await waiting).toBe('mine');
  expect(sandbox.events).toEqual([
    {
      kind: 'waiting',
      object: 'the store',
      holder: `process ${child.pid}: sh -c echo locked; read answer`,
    },
  ]);
  expect((await stat(sandbox.folder.join('lock'))).size).toBe(0);
});

test('a shared one that comes later waits behind an exclusive one that waits', async () => {
  await using sandbox = await createSandbox();
  const child = await holdLock(sandbox.folder.join('lock'), '--shared');
  const order: string[] = [];
  const take = (mode: 'shared' | 'exclusive') =>
    withStandingLock(sandbox.host, request(sandbox, mode), async () => void order.push(mode));
  const exclusive = take('exclusive');
  while (sandbox.events.length < 1) await sleep(5);
  const shared = take('shared');
  while (sandbox.events.length < 2) await sleep(5);
  expect(order).toEqual([]);
  child.kill('SIGKILL');
  await Promise.all([exclusive, shared]);
  expect(order).toEqual(['exclusive', 'shared']);
});

test('an inner shared one does not wait behind an exclusive one', async () => {
  await using sandbox = await createSandbox();
  const order: string[] = [];
  const shared = request(sandbox, 'shared');
  let exclusive: Promise<unknown> = Promise.resolve();
  await withStandingLock(sandbox.host, shared, async () => {
    exclusive = withStandingLock(sandbox.host, request(sandbox, 'exclusive'), async () =>
      order.push('exclusive'),
    );
    while (sandbox.events.length === 0) await sleep(5);
    await withStandingLock(sandbox.host, shared, async () => order.push('inner'));
  });
  await exclusive;
  expect(order).toEqual(['inner', 'exclusive']);
});

test('a long wait names the holder of the moment again', async () => {
  await using sandbox = await createSandbox();
  const path = sandbox.folder.join('lock');
  const first = await holdLock(path, '--shared');
  const waiting = withStandingLock(
    sandbox.host,
    { ...request(sandbox, 'exclusive'), renewalMilliseconds: 50 },
    async () => 'mine',
  );
  while (sandbox.events.length === 0) await sleep(5);
  const second = await holdLock(path, '--shared');
  first.kill('SIGKILL');
  const names = (pid: number | undefined) =>
    sandbox.events.some((event) => event.kind === 'waiting' && event.holder?.startsWith(`process ${pid}:`));
  while (!names(second.pid)) await sleep(5);
  expect(names(first.pid)).toBe(true);
  second.kill('SIGKILL');
  expect(await waiting).toBe('mine');
});

test('an interruption ends the wait', async () => {
  await using sandbox = await createSandbox();
  const child = await holdLock(sandbox.folder.join('lock'), '--exclusive');
  const waiting = withStandingLock(sandbox.host, request(sandbox, 'shared'), async () => 'mine').catch(
    (error: unknown) => error,
  );
  while (sandbox.events.length === 0) await sleep(5);
  sandbox.interrupt();
  expect(await waiting).toMatchObject({ code: 'INTERRUPTED' });
  child.kill('SIGKILL');
});

test('finds the holder of a lock in the list of the kernel', () => {
  const locks = [
    '1: FLOCK  ADVISORY  WRITE 4242 fe:00:1234 0 EOF',
    '1: -> FLOCK  ADVISORY  WRITE 4343 fe:00:1234 0 EOF',
    '2: FLOCK  ADVISORY  READ 77 00:1c:1234 0 EOF',
    '3: POSIX  ADVISORY  READ 78 fe:00:1234 0 EOF',
    '4: FLOCK  ADVISORY  READ 0 fe:00:1234 0 EOF',
    '5: FLOCK  ADVISORY  READ 79 fe:00:12345 0 EOF',
    '',
  ].join('\n');
  expect(parseHolders(locks, 1234)).toEqual(['4242', '77']);
});

test('finds the locked bytes of an open file in the list of the kernel', () => {
  const fdinfo = [
    'pos:\t0',
    'lock:\t1: FLOCK  ADVISORY  WRITE 17 fe:00:1234 0 EOF',
    'lock:\t2: OFDLCK ADVISORY  READ -1 fe:00:1234 10 19',
    'lock:\t3: OFDLCK ADVISORY  WRITE -1 fe:00:1234 50 EOF',
    '',
  ].join('\n');
  expect([9, 10, 19, 20, 49, 50, 1e15].map((byte) => locksByte(fdinfo, byte))).toEqual([
    false,
    true,
    true,
    false,
    false,
    true,
    true,
  ]);
});
