/** Uninstalls that end before their point of no return: the container has not changed, and the error says so. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { journals, runKilled, runWithDiskErrors } from './killed-runs.ts';

let images: ImageSource;
let other: string;
beforeAll(async () => {
  images = await openImageSource();
  // Its process takes a second and a half to end.
  const unit = serviceExports['service.template']?.replace('$EXEC_STOP', '/bin/sleep 1.5') ?? '';
  const slow = await images.push('slow', { exports: { ...serviceExports, 'service.template': unit } });
  await atomic(['install', '--system', slow]);
  // systemd stops it with the service, and before it.
  writeFileSync(
    '/run/systemd/system/leaf.service',
    '[Unit]\nRequires=slow.service\nAfter=slow.service\n[Service]\nExecStart=/bin/sleep infinity\n',
  );
  sh('systemctl daemon-reload');
  other = await images.push('other', { exports: serviceExports });
});
afterAll(() => images[Symbol.asyncDispose]());
beforeEach(() => sh('systemctl reset-failed slow; systemctl start slow leaf'));

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
  expect(sh('systemctl is-active leaf')).toBe('active\n');
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
  expect((await runAtomic(['install', '--system', other])).stderr).toContain(
    'Recovered slow: an interrupted uninstall was undone\n',
  );
  expect(readService()).toBe('active enabled');
  await atomic(['uninstall', 'other']);
});

test('a journal that cannot be synced is removed again', async () => {
  const run = runWithDiskErrors(['uninstall', 'slow'], { fsync: journals });
  expect(run.status).toBe(1);
  expect(run.stderr).toStartWith(`error: sync ${journals}: input/output error of the disk\n`);
  expect(readdirSync(journals)).toEqual([]);
  expect(readService()).toBe('active enabled');
});

test('a journal that cannot be removed again does not end the service later', async () => {
  const run = runWithDiskErrors(['uninstall', 'slow'], { fsync: journals, unlink: `${journals}/slow.json` });
  expect(run.status).toBe(1);
  expect(run.stderr).toStartWith(
    `error: beginning to uninstall slow: sync ${journals}: input/output error of the disk; undoing that failed too: `,
  );
  expect((await runAtomic(['install', '--system', other])).stderr).toContain(
    'Recovered slow: an interrupted uninstall was undone\n',
  );
  expect(readService()).toBe('active enabled');
  await atomic(['uninstall', 'other']);
});

test('a journal that an install has left does not end the service later', async () => {
  const run = runWithDiskErrors(['install', '--system', other], { unlink: `${journals}/other.json` });
  expect(run.status).toBe(1);
  expect(run.stderr).toBe(
    `error: remove ${journals}/other.json: input/output error of the disk\nhint: Everything else is done: remove the cause and run \`atomic recover\`.\n`,
  );
  sh('systemctl start other; mount --bind /etc /etc; mount -o remount,bind,ro /etc');
  expect((await runAtomic(['recover'])).status).toBe(1);
  sh('umount /etc; systemctl is-active other; systemctl is-enabled other');
  await atomic(['recover']);
  await atomic(['uninstall', 'other']);
});

/** Makes a program that ends when one of its arguments is `word`. @returns the folder that it is in */
function writeDying(program: string, word: string, end = 'kill -KILL $$'): string {
  const real = sh(`command -v ${program}`).trim();
  const script = `#!/bin/sh\ncase " $* " in *" ${word} "*) ${end};; esac\nexec ${real} "$@"\n`;
  sh('rm -rf /tmp/dying; mkdir /tmp/dying');
  writeFileSync(`/tmp/dying/${program}`, script, { mode: 0o755 });
  return '/tmp/dying';
}

test.each([
  ['systemctl', 'disable'],
  ['systemctl', 'daemon-reload'],
  ['systemd-tmpfiles', '--remove'],
])('%s %s is killed: it did not succeed', async (program, word) => {
  await atomic(['install', '--system', '--name', 'spare', other]);
  sh('systemctl start spare');
  const env = { PATH: `${writeDying(program, word)}:${process.env.PATH}` };
  const run = await runAtomic(['uninstall', 'spare'], { env });
  expect(run.status).toBe(137);
  expect(run.stderr).toMatch(new RegExp(`^error: .*${program} .*${word}.*: ended by SIGKILL`, 'm'));
  expect(run.stderr).toContain('error: uninstalling spare is not finished: ');
  await atomic(['recover']);
  expect(sh(`find /etc ${checkouts} /run -path '*/locks/*' -prune -o -name '*spare*' -print`)).toBe('');
});

test('a service that cannot be disabled is no success', async () => {
  await atomic(['install', '--system', '--name', 'spare', other]);
  const env = { PATH: `${writeDying('systemctl', 'disable', 'echo no >&2; exit 1')}:${process.env.PATH}` };
  const run = await runAtomic(['uninstall', 'spare'], { env });
  expect(run.status).toBe(1);
  expect(run.stderr).toMatch(/^error: uninstalling spare is not finished: .*systemctl .*disable/m);
  expect(sh('systemctl is-enabled spare').trim()).toBe('enabled');
  await atomic(['uninstall', 'spare']);
  expect(sh(`find /etc ${checkouts} /run -path '*/locks/*' -prune -o -name '*spare*' -print`)).toBe('');
});
