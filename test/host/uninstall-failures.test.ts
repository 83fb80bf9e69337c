/** Uninstalls that end before their point of no return: the container is as it was, and the error says so. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { journals, runKilled } from './killed-runs.ts';

let images: ImageSource;
beforeAll(async () => {
  images = await openImageSource();
  // Its process takes a second and a half to end.
  const unit = serviceExports['service.template']?.replace('$EXEC_STOP', '/bin/sleep 1.5') ?? '';
  const slow = await images.push('slow', { exports: { ...serviceExports, 'service.template': unit } });
  await atomic(['install', '--system', slow]);
  await atomic(['pull', await images.push('other', { exports: serviceExports })]);
});
afterAll(() => images[Symbol.asyncDispose]());
beforeEach(() => sh('systemctl reset-failed slow; systemctl start slow'));

/** @throws Error when the script fails */
function sh(script: string): string {
  const run = spawnSync('/bin/sh', ['-ec', script], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${script}: ${run.stdout}${run.stderr}`);
  return run.stdout;
}

function readService(): string {
  return sh('systemctl show --property=ActiveState,UnitFileState --value slow').trim().replace('\n', ' ');
}

async function waitUntilStopping(): Promise<void> {
  while (readService() !== 'deactivating enabled') await Bun.sleep(10);
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s while the service stops: it is started again', async (killSignal, status) => {
  const controller = new AbortController();
  const running = runAtomic(['uninstall', 'slow'], { signal: controller.signal, killSignal });
  await waitUntilStopping();
  controller.abort();
  const run = await running;
  expect(run.stderr).toContain(
    `error: interrupted by ${killSignal}; slow stays installed, and slow.service is active\n`,
  );
  expect(run.status).toBe(status);
  expect(readService()).toBe('active enabled');
  expect(readdirSync(journals)).toEqual([]);
});

test('a person starts the service while it stops', async () => {
  const running = runAtomic(['uninstall', 'slow']);
  await waitUntilStopping();
  sh('systemctl start slow');
  const run = await running;
  expect(run.stderr).toMatch(
    /^error: stop slow\.service: .*; slow stays installed, and slow\.service is active$/m,
  );
  expect(run.status).toBe(1);
  expect(readService()).toBe('active enabled');
  expect(readdirSync(journals)).toEqual([]);
});

test('killed while the service stops: the next command starts it again, also when that is killed', async () => {
  const child = spawn('atomic', ['uninstall', 'slow']);
  await waitUntilStopping();
  child.kill('SIGKILL');
  await once(child, 'exit');
  runKilled(['recover'], 'unlink', `${journals}/slow.json`);
  expect(readdirSync(journals)).toEqual(['slow.json']);
  const other = await images.push('other', { exports: serviceExports });
  expect((await runAtomic(['install', '--system', other])).stderr).toContain(
    'Recovered slow: an interrupted uninstall was undone\n',
  );
  expect(readService()).toBe('active enabled');
  await atomic(['uninstall', 'other']);
});
