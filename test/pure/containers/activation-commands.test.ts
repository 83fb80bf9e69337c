import { expect, test } from 'bun:test';
import type { PlannedFile } from '../../../src/containers/container.ts';
import { buildActivationCommands } from '../../../src/containers/service/activate.ts';

const plan = (role: PlannedFile['role'], path: string): PlannedFile => ({
  role,
  path,
  mode: 0o644,
  content: '',
});
const config = plan('config', '/containers/etcd.0/config.json');
const service = plan('unit', '/etc/systemd/system/etcd.service');
const tmpfiles = plan('tmpfiles', '/etc/tmpfiles.d/etcd.conf');

const reload = ['systemctl', 'daemon-reload'];
const create = ['systemd-tmpfiles', '--create', '/etc/tmpfiles.d/etcd.conf'];

test.each([
  ['nothing for systemd', [config], false, []],
  ['a service', [config, tmpfiles, service], false, [reload, create, ['systemctl', 'enable', 'etcd']]],
  [
    'several units, with one reload and one command that enables them',
    [service, plan('unit', '/etc/systemd/system/etcd.timer')],
    true,
    [reload, ['systemctl', 'enable', 'etcd', 'etcd.timer']],
  ],
  ['units among the host files', [config], true, [reload]],
] as const)('%s', (_, files, hasHostUnits, expected) => {
  expect<readonly (readonly string[])[]>(buildActivationCommands(files, hasHostUnits)).toEqual(expected);
});
