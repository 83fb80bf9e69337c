import { expect, test } from 'bun:test';
import { parseKnownUnits, parseUnitStates, withoutReload } from '../../src/host/systemd/systemctl.ts';

test('blocks belong to the names in their order, also when Id is another name', () => {
  const output = [
    'Id=etcd.service',
    'LoadState=loaded',
    'ActiveState=active',
    'SubState=running',
    'Result=success',
    '',
    'Result=exit-code',
    'Id=real-name.service',
    'LoadState=not-found',
    'ActiveState=inactive',
    'SubState=dead',
    '',
  ].join('\n');
  expect(parseUnitStates(output, ['etcd', 'alias'])).toEqual(
    new Map([
      ['etcd', { loadState: 'loaded', activeState: 'active', subState: 'running', result: 'success' }],
      ['alias', { loadState: 'not-found', activeState: 'inactive', subState: 'dead', result: 'exit-code' }],
    ]),
  );
});

test('an answer for another number of services is not guessed', () => {
  expect(() => parseUnitStates('Id=a.service\n', ['a', 'b'])).toThrow(
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
