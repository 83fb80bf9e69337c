import { expect, test } from 'bun:test';
import { parseKnownUnits, withoutReload } from '../../src/host/systemd/systemctl.ts';

test('an answer for another number of units is not guessed', () => {
  expect(() => parseKnownUnits('Id=a.service\n', ['a.service', 'b.service'])).toThrow(
    'systemctl show: 1 answers for 2 units',
  );
});

test('what is known of a name: the unit of an alias, and the service that a timer starts', () => {
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
