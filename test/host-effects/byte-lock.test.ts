import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { withByteLock } from '../../src/host/locks/byte-lock.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const holder = new URL('byte-holder.ts', import.meta.url).pathname;

/** Another process that holds bytes 100 to 199 exclusively until it is killed. */
async function holdBytes(sandbox: Sandbox) {
  const child = spawn(process.execPath, [holder, sandbox.folder.join('lock')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

const request = (sandbox: Sandbox, start: number) => ({
  path: sandbox.folder.join('lock'),
  mode: 'exclusive' as const,
  object: 'the image web',
  start,
  length: 1,
});

test('bytes that another process has locked are waited for, others are not', async () => {
  await using sandbox = await createSandbox();
  const child = await holdBytes(sandbox);
  for (const start of [99, 200]) await withByteLock(sandbox.host, request(sandbox, start), async () => 1);
  expect(sandbox.events).toEqual([]);
  const waiting = withByteLock(sandbox.host, request(sandbox, 150), async () => 'mine');
  while (sandbox.events.length === 0) await sleep(5);
  child.kill('SIGKILL');
  expect(await waiting).toBe('mine');
  expect(sandbox.events).toEqual([
    {
      kind: 'waiting',
      object: 'the image web',
      holder: expect.stringMatching(new RegExp(`^process ${child.pid}: .*byte-holder\\.ts`)),
    },
  ]);
  expect(await readdir(sandbox.folder.path)).toContain('lock');
});

test('an interruption and a limit end the wait', async () => {
  await using sandbox = await createSandbox();
  const child = await holdBytes(sandbox);
  const limit = new Error('too long');
  const checkWait = (milliseconds: number): void => {
    if (milliseconds > 60) throw limit;
  };
  const limited = withByteLock(sandbox.host, { ...request(sandbox, 100), checkWait }, async () => 1);
  expect(await limited.catch((error: unknown) => error)).toBe(limit);
  const waiting = withByteLock(sandbox.host, request(sandbox, 100), async () => 1);
  sandbox.interrupt();
  expect(await waiting.catch((error: unknown) => error)).toMatchObject({ code: 'INTERRUPTED' });
  child.kill('SIGKILL');
});
