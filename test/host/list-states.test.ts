import { afterAll, beforeAll, expect, test } from 'bun:test';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { command, runCommand } from './support/commands.ts';

let images: ImageSource;
beforeAll(async () => {
  images = await openImageSource();
  const service = await images.push('service', { exports: serviceExports });
  for (const name of ['broken', 'masked', 'stopped', 'works']) {
    await atomic(['install', '--system', '--name', name, service]);
  }
  await command('systemctl', 'start', 'works');
  await Bun.write('/etc/systemd/system/broken.service.d/fail.conf', '[Service]\nExecStartPre=/bin/false\n');
  await command('systemctl', 'daemon-reload');
  await runCommand(['systemctl', 'start', 'broken']);
  await command('systemctl', 'mask', '--runtime', 'masked');
});
afterAll(async () => {
  await command('systemctl', 'start', 'dbus.socket');
  for (const name of ['broken', 'masked', 'stopped', 'works']) await atomic(['uninstall', name]);
  await images[Symbol.asyncDispose]();
});

const expected = { broken: 'failed', masked: 'inactive', stopped: 'inactive', works: 'running' };

async function readStates(): Promise<Record<string, string>> {
  const run = await runAtomic(['containers', 'list', '-a', '--json']);
  expect(run.stderr).toBe('');
  const list = JSON.parse(run.stdout) as { readonly id: string; readonly state: string }[];
  return Object.fromEntries(list.map(({ id, state }) => [id, state]));
}

test('the list asks systemd over the system bus, without a process', async () => {
  expect(await readStates()).toEqual(expected);
  const { stderr } = await runAtomic(['--debug', 'containers', 'list', '-a']);
  expect(stderr).not.toContain('systemctl');
});

test('without the bus it asks systemctl, and shows the same', async () => {
  await command('systemctl', 'stop', 'dbus.socket', 'dbus.service');
  expect(await readStates()).toEqual(expected);
  const { stderr } = await runAtomic(['--debug', 'containers', 'list', '-a']);
  expect(stderr).toContain('systemctl show');
});
