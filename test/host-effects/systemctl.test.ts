import { expect, test } from 'bun:test';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { describeUnits, parseKnownUnits, withoutReload } from '../../src/host/systemd/systemctl.ts';
import { createSandbox } from '../support/sandbox.ts';

test('an answer for another number of units is not guessed', () => {
  expect(() => parseKnownUnits('Id=a.service\n', ['a.service', 'b.service'])).toThrow(
    'systemctl show: 1 answers for 2 units',
  );
});

test('describes the unit of an alias, and the service that a timer starts', () => {
  const output = [
    'Id=bus.service\nTriggers=\nLoadState=loaded\nActiveState=active\nFragmentPath=/lib/a=b\nSourcePath=/etc/init.d/bus',
    'Id=dbus.timer\nTriggers=dbus.service x.service\nLoadState=loaded\nActiveState=inactive\nFragmentPath=\nSourcePath=',
  ].join('\n\n');
  const [service, timer] = parseKnownUnits(`${output}\n`, ['dbus.service', 'dbus.timer']);
  expect(service).toEqual({
    name: 'dbus.service',
    id: 'bus.service',
    loadState: 'loaded',
    activeState: 'active',
    file: '/lib/a=b',
    source: '/etc/init.d/bus',
    triggers: [],
  });
  expect(timer?.triggers).toEqual(['dbus.service', 'x.service']);
});

test('a command without its reload', () => {
  expect(withoutReload(['systemctl', 'enable', 'etcd'])).toEqual([
    'systemctl',
    '--no-reload',
    'enable',
    'etcd',
  ]);
});

test('a failure names the units, a few of them, and no properties', async () => {
  await using sandbox = await createSandbox();
  const folder = sandbox.folder.join('bin');
  await mkdir(folder);
  await writeFile(`${folder}/systemctl`, '#!/bin/sh\necho no bus >&2\nexit 1\n');
  await chmod(`${folder}/systemctl`, 0o755);
  const host = { ...sandbox.host, env: { ...sandbox.host.env, PATH: `${folder}:/usr/bin:/bin` } };
  await expect(describeUnits(host, ['a.service'])).rejects.toThrow(
    'systemctl show a.service: exit status 1: no bus',
  );
  await expect(describeUnits(host, ['a', 'b', 'c', 'd'])).rejects.toThrow(
    'systemctl show a b c ...: exit status 1: no bus',
  );
});
