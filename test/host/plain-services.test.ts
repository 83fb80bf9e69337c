/** Ordinary services of Debian in plain images run, answer and stop. `ATOMIC_SERVICES` has their names. */
import { afterEach, expect, test } from 'bun:test';
import { createConnection } from 'node:net';
import { writeServiceImages } from '../../images/services/build-services.ts';
import { type ServiceImage, type ServiceName, services } from '../../images/services/services.ts';
import { runAtomic } from '../support/atomic.ts';
import { command, waitUntil } from './support/commands.ts';
import { readActivity } from './support/services.ts';

const wanted = (process.env.ATOMIC_SERVICES ?? '').split(',');
const names = (Object.keys(services) as ServiceName[]).filter((name) => wanted.includes(name));
const trials = names.flatMap((name) =>
  ['/usr/sbin/runc', '/usr/bin/crun'].map((runtime) => [name, runtime] as const),
);

afterEach(async () => {
  await runAtomic(['uninstall', '--purge', '-y', 'plain-service']);
});

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

test('the names of the wanted services are known', () => {
  expect(wanted.filter((name) => name !== '' && !names.some((known) => known === name))).toEqual([]);
});

test.each(trials)('%s with %s', async (name, runtime) => {
  const reference = (await writeServiceImages('/var/tmp/service-images', [name])).get(name) ?? '';
  const { port, lacks }: ServiceImage = services[name];
  const { stderr } = await runAtomic(['install', '--name', 'plain-service', '--runtime', runtime, reference]);
  if (lacks !== undefined) {
    expect(stderr).toContain(lacks);
    return;
  }
  await command('systemctl', 'start', 'plain-service');
  await Bun.sleep(5000);
  expect(await readActivity('plain-service')).toBe('active');
  if (port !== undefined) await waitUntil(`${name} answers`, () => connects(port));
  await command('systemctl', 'stop', 'plain-service');
  expect(await readActivity('plain-service')).toBe('inactive');
});
