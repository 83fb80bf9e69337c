import { expect, test } from 'bun:test';
import { parseUnitStates, withoutReload } from '../../src/host/systemctl.ts';

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
    'systemctl show: 1 answers for 2 services',
  );
});

test('a command without its reload', () => {
  expect(withoutReload(['systemctl', 'enable', 'etcd'])).toEqual([
    'systemctl',
    '--no-reload',
    'enable',
    'etcd',
  ]);
});
