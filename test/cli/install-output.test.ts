import { expect, test } from 'bun:test';
import { buildInstallJson } from '../../src/commands/containers/install-json.ts';
import { formatInstallPlan, formatPlannedFile } from '../../src/commands/containers/plan-text.ts';
import type { InstallPlan } from '../../src/containers/container.ts';
import { noNewVolumes } from '../../src/containers/render/config/image-volumes.ts';
import { plainRecord } from '../support/plain-record.ts';
import { catchError } from '../support/thrown-error.ts';

const plan: InstallPlan = {
  name: 'etcd',
  image: 'gscrivano/etcd',
  deployment: '/var/lib/containers/atomic/etcd.0',
  record: {
    ...plainRecord,
    image: 'gscrivano/etcd',
    revision: 'd7c1',
    created: 1473350400,
    options: { env: ['A=b'] },
    patches: { '10-a.json': 'ab' },
  },
  volumes: [
    {
      ...{ path: '/data', folder: '/var/lib/etcd/volumes/data', isNew: true, isInImage: true },
      ...{ owner: { uid: 0, gid: 0 }, missingInside: [] },
    },
  ],
  newVolumes: noNewVolumes,
  asks: [{ kind: 'host-path', subject: '/etc\u001b[2J', access: 'read-only' }],
  grants: [],
  files: [
    {
      role: 'unit',
      path: '/etc/systemd/system/etcd.service',
      mode: 0o644,
      content: '[Unit]\nDescription=a\tb\u001b[2J\n\n',
    },
    { role: 'tmpfiles', path: '/etc/tmpfiles.d/etcd.conf', mode: 0o600, content: 'd /run/etcd' },
  ],
  hostFiles: [
    {
      ...{ path: '/usr/bin/etcdctl', kind: 'file', mode: 0o755, uid: 0, gid: 0, size: 3 },
      ...{ sha256: 'ab', target: undefined, content: { kind: 'text', text: 'abc' } },
    },
    {
      ...{ path: '/opt/link', kind: 'symlink', mode: 0o777, uid: 0, gid: 0, size: 0 },
      ...{ sha256: undefined, target: 'nowhere', content: undefined },
    },
  ],
  hostFolders: [],
  keptFiles: ['/etc/etcd.conf'],
  commands: [
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'enable', 'etcd'],
  ],
};

test('--display=FILE', () => {
  const unit = '[Unit]\nDescription=a\tb\\x1b[2J\n\n';
  expect(formatPlannedFile(plan, 'service')).toBe(unit);
  expect(formatPlannedFile(plan, '/etc/systemd/system/etcd.service')).toBe(unit);
  expect(formatPlannedFile(plan, 'tmpfiles')).toBe('d /run/etcd\n');
  expect(catchError(() => formatPlannedFile(plan, 'config.json'))).toMatchObject({
    code: 'BAD_VALUE',
    message: "An install of etcd writes no file 'config.json'",
    hint: 'The files are service, tmpfiles.',
  });
});

test('--display', () => {
  expect(formatInstallPlan(plan)).toBe(
    [
      '# Container etcd from image gscrivano/etcd (d7c1)',
      '# Option: --env A=b',
      '# Patch: 10-a.json',
      '# Asks: /etc of the host, read-only',
      'Extracting to /var/lib/containers/atomic/etcd.0',
      '',
      '# File /etc/systemd/system/etcd.service (mode 0644)',
      '[Unit]',
      'Description=a\tb\\x1b[2J',
      '',
      '',
      '# File /etc/tmpfiles.d/etcd.conf (mode 0600)',
      'd /run/etcd',
      '',
      '# Host file /usr/bin/etcdctl (mode 0755, owner 0:0, 3 bytes, sha256 ab)',
      '# Host symlink /opt/link -> nowhere',
      '# File /etc/etcd.conf already exists',
      '# Volume /data in /var/lib/etcd/volumes/data',
      '',
      '# Commands',
      'systemctl daemon-reload',
      'systemctl enable etcd',
      '',
    ].join('\n'),
  );
});

test('--json', () => {
  expect(buildInstallJson({ kind: 'already-present', name: 'etcd', differences: [] })).toEqual({
    schemaVersion: 1,
    outcome: 'already-present',
    name: 'etcd',
    changed: false,
    differences: [],
    plan: null,
  });
  expect(buildInstallJson({ kind: 'installed', plan })).toEqual({
    schemaVersion: 1,
    outcome: 'installed',
    name: 'etcd',
    changed: true,
    plan: {
      image: 'gscrivano/etcd',
      image_id: 'd7c1',
      deployment: '/var/lib/containers/atomic/etcd.0',
      runtime: '/usr/bin/runc',
      values: { NAME: 'etcd', HOST_UID: 0 },
      options: { env: ['A=b'] },
      patches: { '10-a.json': 'ab' },
      asks: plan.asks,
      files: [
        {
          path: '/etc/systemd/system/etcd.service',
          mode: '0644',
          content: '[Unit]\nDescription=a\tb\u001b[2J\n\n',
        },
        { path: '/etc/tmpfiles.d/etcd.conf', mode: '0600', content: 'd /run/etcd' },
      ],
      host_files: [
        {
          ...{ path: '/usr/bin/etcdctl', kind: 'file', mode: '0755', uid: 0, gid: 0, size: 3 },
          ...{ sha256: 'ab', target: null },
        },
        {
          ...{ path: '/opt/link', kind: 'symlink', mode: '0777', uid: 0, gid: 0, size: 0 },
          ...{ sha256: null, target: 'nowhere' },
        },
      ],
      kept_files: ['/etc/etcd.conf'],
      volumes: [{ path: '/data', folder: '/var/lib/etcd/volumes/data', new: true }],
      commands: [
        ['systemctl', 'daemon-reload'],
        ['systemctl', 'enable', 'etcd'],
      ],
    },
  });
});
