/** Jobs of systemd over the system bus, and without it: a service must never be waited for in vain, nor too short. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';

import type { Host } from '../../src/host/host.ts';
import { findStartLimit } from '../../src/host/systemd/start-limit.ts';
import { UnitJobs } from '../../src/host/systemd/unit-jobs.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { command } from './support/commands.ts';
import { readActivity } from './support/services.ts';

const units = {
  works: 'ExecStart=/bin/sleep infinity',
  fails: 'Type=exec\nExecStart=/nonexistent',
  needs: 'ExecStart=/bin/sleep infinity\n[Unit]\nRequires=fails.service\nAfter=fails.service',
  endless: 'Type=oneshot\nExecStart=/bin/sleep infinity',
  // It ends two seconds after the request.
  slow: 'ExecStart=/bin/sh -c \'trap "sleep 2; exit 0" TERM; sleep infinity & wait\'\nKillMode=mixed',
};
let sandbox: Sandbox;
const programs: string[] = [];

beforeAll(async () => {
  sandbox = await createSandbox();
  for (const [name, text] of Object.entries(units)) {
    writeFileSync(`/run/systemd/system/${name}.service`, `[Service]\n${text}\n`);
  }
  await command('systemctl', 'daemon-reload');
});
afterAll(async () => {
  for (const name of Object.keys(units)) rmSync(`/run/systemd/system/${name}.service`);
  await command('systemctl', 'daemon-reload');
  await sandbox.remove();
});
afterEach(async () => {
  programs.length = 0;
  await command('systemctl', 'start', 'dbus.socket');
  await command('systemctl', 'stop', ...Object.keys(units));
});

function openJobs(): UnitJobs {
  const trace: Host['trace'] = ({ argv }) => void programs.push(argv.join(' '));
  return new UnitJobs({ ...sandbox.host, trace });
}

const silently = () => 'it takes long';

async function stopBus(): Promise<void> {
  await command('systemctl', 'stop', 'dbus.socket', 'dbus.service');
}

test('jobs are run one after another without a program', async () => {
  using jobs = openJobs();
  expect(await jobs.run('start', ['works.service', 'slow.service'], silently)).toBeUndefined();
  await jobs.resetFailed(['works.service']);
  expect(await jobs.listActive(['works.service', 'fails.service'])).toEqual(['works.service']);
  expect(await jobs.run('stop', ['slow.service', 'works.service'], silently)).toBeUndefined();
  expect([await readActivity('slow'), await readActivity('works')]).toEqual(['inactive', 'inactive']);
  expect(programs).toEqual([]);
});

test('every unit that does not start is named, and the others run', async () => {
  using jobs = openJobs();
  const failure = await jobs.run('start', ['fails.service', 'works.service', 'needs.service'], silently);
  expect(failure).toMatchObject({
    code: 'COMMAND_FAILED',
    message:
      'systemctl start fails.service works.service needs.service: fails.service failed, needs.service was not tried, because a unit that it needs failed',
  });
  expect(await readActivity('works')).toBe('active');
});

test('for a unit that systemd does not know, the words are those of systemctl', async () => {
  using jobs = openJobs();
  expect((await jobs.run('start', ['no-such.service'], silently))?.message).toContain(
    'Unit no-such.service not found.',
  );
});

test.each(['over the bus', 'with systemctl'])('a start that does not end is given up, %s', async (way) => {
  if (way === 'with systemctl') await stopBus();
  using jobs = openJobs();
  const start = jobs.run('start', ['endless.service'], silently, async () => 100);
  expect(await start).toMatchObject({ code: 'COMMAND_FAILED', details: { isLate: true } });
  expect(await readActivity('endless')).toBe('activating');
  expect(await findStartLimit(sandbox.host, ['endless.service', 'works.service'])).toBe(690_000);
});

test('without a bus, systemctl does the same', async () => {
  await stopBus();
  using jobs = openJobs();
  await jobs.resetFailed(['works.service']);
  expect(await jobs.run('start', ['works.service'], silently)).toBeUndefined();
  expect(await jobs.listActive(['works.service', 'fails.service'])).toEqual(['works.service']);
  expect((await jobs.run('start', ['fails.service'], silently))?.message).toContain(
    'Job for fails.service failed',
  );
  expect(programs).toContain('systemctl start works.service');
});

test('a bus that ends during a stop does not end the wait', async () => {
  await command('systemctl', 'start', 'slow');
  using jobs = openJobs();
  const stop = jobs.run('stop', ['slow.service'], silently);
  await Bun.sleep(500);
  await stopBus();
  expect(await readActivity('slow')).toBe('deactivating');
  expect(await stop).toBeUndefined();
  expect(await readActivity('slow')).toBe('inactive');
  expect(programs).toEqual(['systemctl stop slow.service']);
});

test('Ctrl-C ends the wait', async () => {
  await command('systemctl', 'start', 'slow');
  const interruption = new AbortController();
  using jobs = new UnitJobs({ ...sandbox.host, signal: interruption.signal });
  const stop = jobs.run('stop', ['slow.service'], silently);
  await Bun.sleep(300);
  interruption.abort();
  await expect(stop).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
