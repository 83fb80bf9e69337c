import { describe, expect, test } from 'bun:test';
import { listConfigPrivileges } from '../../../src/containers/consent/config-privileges.ts';
import { formatPrivileges } from '../../../src/containers/consent/format-privileges.ts';
import { listOwnFolders } from '../../../src/containers/consent/own-folders.ts';
import { listWidening, type PathAccess, type Privilege } from '../../../src/containers/consent/privilege.ts';
import { listTmpfilesPrivileges } from '../../../src/containers/consent/tmpfiles-privileges.ts';
import { listUnitPrivileges } from '../../../src/containers/consent/unit-privileges.ts';

const reject = (problem: string): Error => new Error(problem);
const allNamespaces = ['network', 'pid', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type }));
/** A configuration that asks for nothing. */
const confined = {
  process: { user: { uid: 1000, gid: 1000 }, noNewPrivileges: true },
  linux: {
    namespaces: allNamespaces,
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO' },
    maskedPaths: ['/proc/kcore'],
    resources: { devices: [{ allow: false, access: 'rwm' }] },
  },
};

function listFor(config: object): readonly string[] {
  const privileges = listConfigPrivileges({ ...confined, ...config }, ['/var/lib/etcd', '/run/etcd'], reject);
  return formatPrivileges(privileges);
}

describe('config.json', () => {
  const { linux, process } = confined;
  const bind = (source: string, ...options: string[]) => ({
    destination: '/x',
    type: 'bind',
    source,
    options: ['rbind', ...options],
  });
  test.each<[string, object, string[]]>([
    ['a confined one', {}, []],
    ['root', { process: { ...process, user: { uid: 0 } } }, ['to run as root']],
    ['no user at all', { process: { noNewPrivileges: true } }, ['to run as root']],
    [
      'groups of the host, each once; the group of the user alone is not asked for',
      { process: { ...process, user: { uid: 6, gid: 6, additionalGids: [0, 42, 6, 42] } } },
      ['to run as group 0, group 42'],
    ],
    ['no group at all', { process: { ...process, user: { uid: 6 } } }, ['to run as group 0']],
    [
      'root has every group',
      { process: { ...process, user: { uid: 0, additionalGids: [6] } } },
      ['to run as root'],
    ],
    [
      'groups of a user namespace',
      {
        process: { ...process, user: { uid: 5, gid: 6, additionalGids: [7, 8] } },
        linux: {
          ...linux,
          namespaces: [...allNamespaces, { type: 'user' }],
          uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
          gidMappings: [
            { containerID: 6, hostID: 100000, size: 1 },
            { containerID: 7, hostID: 0, size: 1 },
          ],
        },
      },
      ['to run as group 0'],
    ],
    [
      'root of a user namespace',
      {
        process: { ...process, user: { uid: 0 }, capabilities: { bounding: ['CAP_SYS_ADMIN'] } },
        linux: {
          ...linux,
          namespaces: [...allNamespaces, { type: 'user' }],
          uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
        },
      },
      [],
    ],
    [
      'root of a user namespace that is the root of the host',
      {
        process: { ...process, user: { uid: 5 } },
        linux: {
          ...linux,
          namespaces: [...allNamespaces, { type: 'user' }],
          uidMappings: [{ containerID: 5, hostID: 0, size: 1 }],
        },
      },
      ['to run as root'],
    ],
    [
      'capabilities of all sets, each once',
      { process: { ...process, capabilities: { bounding: ['CAP_B', 'CAP_A'], ambient: ['CAP_A'] } } },
      ['capabilities: CAP_A, CAP_B'],
    ],
    [
      'capabilities as a list',
      { process: { ...process, capabilities: ['CAP_KILL'] } },
      ['capabilities: CAP_KILL'],
    ],
    [
      'namespaces of the host, and one by its path',
      {
        linux: { ...linux, namespaces: [...allNamespaces.slice(2), { type: 'pid', path: '/proc/1/ns/pid' }] },
      },
      ['namespaces of the host: network, /proc/1/ns/pid'],
    ],
    [
      'host paths; own folders are not asked for',
      {
        mounts: [
          bind('/etc', 'ro', 'rro'),
          bind('/mnt', 'ro'),
          { ...bind('/media', 'ro'), options: ['ro', 'bind'] },
          bind('/var/lib/etcd/data'),
          bind('/var/lib/etcd2'),
          bind('/var/lib/etcd/../../../srv//a/'),
          bind('/run', 'ro', 'rw'),
          bind('/opt', 'rw', 'ro'),
          bind('/usr', 'ro', 'rrw'),
          { destination: '/proc', type: 'proc', source: 'proc' },
          { destination: '/disk', type: 'ext4', source: '/dev/sda1' },
        ],
      },
      [
        '/etc of the host, read-only',
        '/mnt of the host, read-only except mounts below it',
        '/media of the host, read-only',
        '/var/lib/etcd2 of the host, writable',
        '/srv/a of the host, writable',
        '/run of the host, writable',
        '/opt of the host, writable',
        '/usr of the host, writable',
        'ext4 /dev/sda1 of the host, writable',
      ],
    ],
    [
      'the folders of an overlay; own folders are not asked for',
      {
        mounts: [
          {
            destination: '/x',
            type: 'overlay',
            source: 'overlay',
            options: ['lowerdir=/etc:/var/lib/etcd/../b\\:c,upperdir=/srv/up', 'workdir=/var/lib/etcd/work'],
          },
          { destination: '/y', type: 'overlay', source: 'overlay', options: ['ro'] },
        ],
      },
      [
        '/etc of the host, read-only',
        '/var/lib/b:c of the host, read-only',
        '/srv/up of the host, writable',
        'overlay overlay of the host, read-only',
      ],
    ],
    [
      'device nodes and rules; default devices are not asked for',
      {
        linux: {
          ...linux,
          devices: [{ path: '/dev/kvm' }, { path: '/dev/null' }],
          resources: {
            devices: [
              { allow: true, type: 'c', major: 7 },
              { allow: false },
              { allow: true, type: 'c', major: 1, minor: 3 },
              { allow: true, type: 'c', major: 10, minor: 229 },
              { allow: true, type: 'b' },
            ],
          },
        },
      },
      ['device: c 10:229', 'device: b *:*', 'device: /dev/kvm'],
    ],
    [
      'device rules of some access; a later rule changes only the access that it names',
      {
        linux: {
          ...linux,
          resources: {
            devices: [
              { allow: true, type: 'b', access: 'wr' },
              { allow: false, access: 'rwm' },
              { allow: true, type: 'c', major: 10, minor: 1, access: 'mr' },
              { allow: true, type: 'c', major: 10, minor: 2, access: 'r' },
              { allow: true, type: 'c', major: 10, minor: 2, access: 'w' },
              { allow: true, type: 'c', major: 10, minor: 3, access: 'rwm' },
              { allow: false, type: 'c', major: 10, minor: 3, access: 'w' },
              { allow: true, type: 'c', major: 10, minor: 4, access: 'm' },
              { allow: false, type: 'c', major: 10, minor: 4, access: 'rwm' },
              { allow: false, access: 'w' },
            ],
          },
        },
      },
      ['device: c 10:1 rm', 'device: c 10:2 rw', 'device: c 10:3 rm'],
    ],
    [
      'a rule for devices of any type, which runc takes as one for all devices',
      { linux: { ...linux, resources: { devices: [{ allow: true, type: 'a', major: 10, access: 'r' }] } } },
      ['device: all devices'],
    ],
    [
      'all devices',
      { linux: { ...linux, resources: { devices: [{ allow: true, access: 'rwm' }] } } },
      ['device: all devices'],
    ],
    [
      'protections that are off',
      {
        process: { user: { uid: 1, gid: 1 }, apparmorProfile: 'unconfined', selinuxLabel: 'spc_t' },
        linux: { namespaces: allNamespaces },
      },
      [
        'unconfined: no seccomp filter, setuid programs gain privileges, /proc is not masked, no AppArmor profile, SELinux label spc_t',
      ],
    ],
    ['mounts on the host', { linux: { ...linux, rootfsPropagation: 'rslave' } }, []],
    ...['shared', 'rshared'].map((rootfsPropagation): [string, object, string[]] => [
      `mounts on the host: ${rootfsPropagation}`,
      { linux: { ...linux, rootfsPropagation } },
      ['unconfined: mounts appear on the host'],
    ]),
    [
      'kernel parameters and hooks',
      {
        linux: { ...linux, sysctl: { 'net.ipv4.ip_forward': '1' } },
        hooks: { prestart: [{ path: '/bin/a' }], poststop: [{ path: '/bin/b' }] },
      },
      [
        'kernel parameters: net.ipv4.ip_forward',
        'hook of the runtime: /bin/a (prestart)',
        'hook of the runtime: /bin/b (poststop)',
      ],
    ],
  ])('%s', (_, config, lines) => {
    expect(listFor(config)).toEqual(lines);
  });

  test('a wrong shape is refused', () => {
    expect(() => listFor({ mounts: {} })).toThrow('mounts must be an array');
  });
});

test('a unit: commands that do not go through the runtime', () => {
  const unit = `[Unit]
Description=ExecStart=/bin/no
[Service]
ExecStartPre=-/usr/bin/runc delete --force 'etcd'
ExecStartPre=-+/bin/mkdir -p \\
  /etc/x
ExecStart=/usr/bin/runc --systemd-cgroup run 'etcd'
ExecStartPost=
ExecStop="/usr/bin/runc" kill etcd
ExecStopPost=/c/etcd.1/rootfs/usr/bin/clean
[Install]
WantedBy=multi-user.target
`;
  expect(listUnitPrivileges(unit, '/usr/bin/runc', '/c/etcd.1').map(({ subject }) => subject)).toEqual([
    'ExecStartPre=-+/bin/mkdir -p    /etc/x',
    'ExecStop="/usr/bin/runc" kill etcd',
    'ExecStopPost=$DESTDIR/rootfs/usr/bin/clean',
  ]);
});

test('a unit: the runtime with other code, or for another container', () => {
  const unit = `[Service]
WorkingDirectory=/c/etcd.1
Environment=A=1
Environment="LD_PRELOAD=/c/etcd.1/rootfs/x.so"
EnvironmentFile=-/etc/sysconfig/etcd
BindPaths=/var/lib/etcd/x:/c/etcd.1
ExecStart=/usr/bin/runc --systemd-cgroup run 'etcd'
ExecStartPost=/usr/bin/runc exec other sh
ExecStop=/usr/bin/runc kill 'etcd'
ExecStopPost=-/usr/bin/runc "--bundle=/var/lib/etcd" run y
`;
  expect(listUnitPrivileges(unit, '/usr/bin/runc', '/c/etcd.1').map(({ subject }) => subject)).toEqual([
    'Environment="LD_PRELOAD=$DESTDIR/rootfs/x.so"',
    'EnvironmentFile=-/etc/sysconfig/etcd',
    'BindPaths=/var/lib/etcd/x:$DESTDIR',
    'ExecStartPost=/usr/bin/runc exec other sh',
    'ExecStopPost=-/usr/bin/runc "--bundle=/var/lib/etcd" run y',
  ]);
  const other = listUnitPrivileges('[Service]\nWorkingDirectory=/var/lib/etcd', '/usr/bin/runc', '/c/etcd.1');
  expect(other).toEqual([{ kind: 'program', subject: 'WorkingDirectory=/var/lib/etcd' }]);
});

test('a unit: effects on other units and on the machine', () => {
  const unit = `[Unit]
Conflicts=shutdown.target sshd.service
FailureAction=none
JobTimeoutAction=reboot
Requires=network.target etcd.service
Wants=network-online.target
BindTo=dev-sda.device
OnFailure=reboot.target
[Service]
ExecStart=/usr/bin/runc run x
StartLimitAction=
FailureAction=poweroff
RequiredBy=no-section.service
[Install]
WantedBy=multi-user.target sysinit.target
RequiredBy=sshd.service \\
  cron.service
RequiredBy=sshd.service
Alias=docker.service
`;
  const privileges = listUnitPrivileges(unit, '/usr/bin/runc', '/c/x.0');
  expect(formatPrivileges(privileges)).toEqual([
    'units of the host: Conflicts=sshd.service, JobTimeoutAction=reboot, Requires=etcd.service, BindTo=dev-sda.device, OnFailure=reboot.target, FailureAction=poweroff, WantedBy=sysinit.target, RequiredBy=sshd.service, RequiredBy=cron.service',
  ]);
  expect(listWidening(privileges, listUnitPrivileges('[Install]\nRequiredBy=x.service', '', ''))).toEqual([
    { kind: 'host-unit', subject: 'RequiredBy=x.service' },
  ]);
});

test('own folders: those of other programs are left out, volumes in them are not', () => {
  const values = { STATE_DIRECTORY: '/var//lib/', RUN_DIRECTORY: '/run' };
  const list = (foreignFolders: readonly string[], volumes: readonly string[]) =>
    listOwnFolders('dpkg', { values, foreignFolders, volumes });
  expect(list([], [])).toEqual(['/var/lib/dpkg', '/run/dpkg']);
  expect(list(['/var/lib/dpkg'], [])).toEqual(['/run/dpkg']);
  expect(list(['/var/lib/dpkg', '/run/dpkg'], ['/data'])).toEqual(['/var/lib/dpkg/volumes']);
  expect(
    listOwnFolders('x', { values: { STATE_DIRECTORY: 'relative' }, foreignFolders: [], volumes: [] }),
  ).toEqual([]);
});

test('a tmpfiles.d file: paths outside own folders', () => {
  const tmpfiles = `# comment
d  /var/lib/etcd   0700 0 0
d /var/lib/etcd/../cron.d 0755
L+ /etc/cron.d/x - - - - /bin/sh
R /run/etcd/%m
d "/run/etcd/a" 0700
d /run/etcd2 0700
`;
  expect(
    listTmpfilesPrivileges(tmpfiles, ['/var/lib/etcd', '/run/etcd']).map(({ subject }) => subject),
  ).toEqual([
    'd /var/lib/etcd/../cron.d 0755',
    'L+ /etc/cron.d/x - - - - /bin/sh',
    'R /run/etcd/%m',
    'd "/run/etcd/a" 0700',
    'd /run/etcd2 0700',
  ]);
});

describe('widening', () => {
  const path = (subject: string, access: PathAccess): Privilege => ({
    kind: 'host-path',
    subject,
    access,
  });
  const device = (subject: string, access = 'rwm'): Privilege => ({ kind: 'device', subject, access });
  test.each<[string, Privilege[], Privilege[], Privilege[]]>([
    ['nothing new', [path('/etc', 'writable')], [path('/etc', 'writable')], []],
    ['less', [path('/etc', 'writable')], [path('/etc', 'read-only')], []],
    ['a part', [path('/etc', 'read-only')], [path('/etc/ssl', 'read-only')], []],
    ['a part of everything', [path('/', 'read-only')], [path('/etc', 'read-only')], []],
    ['writable', [path('/etc', 'read-only')], [path('/etc', 'writable')], [path('/etc', 'writable')]],
    ['less of the mounts below', [path('/a', 'partly-writable')], [path('/a', 'read-only')], []],
    [
      'mounts below',
      [path('/a', 'read-only')],
      [path('/a', 'partly-writable')],
      [path('/a', 'partly-writable')],
    ],
    [
      'all of a path with writable mounts below',
      [path('/a', 'partly-writable')],
      [path('/a/b', 'writable')],
      [path('/a/b', 'writable')],
    ],
    ['a longer name', [path('/etc', 'writable')], [path('/etc2', 'read-only')], [path('/etc2', 'read-only')]],
    [
      'out of a relative path',
      [path('../..', 'read-only'), path('', 'read-only')],
      [path('../../../../etc', 'read-only'), path('/etc', 'read-only')],
      [path('../../../../etc', 'read-only'), path('/etc', 'read-only')],
    ],
    ['the parent', [path('/etc/ssl', 'writable')], [path('/etc', 'read-only')], [path('/etc', 'read-only')]],
    ['one of all devices', [device('all devices')], [device('/dev/kvm')], []],
    ['all devices', [device('/dev/kvm')], [device('all devices')], [device('all devices')]],
    ['a group of root', [{ kind: 'user', subject: 'root' }], [{ kind: 'user', subject: 'group 6' }], []],
    [
      'another group',
      [{ kind: 'user', subject: 'group 6' }],
      [{ kind: 'user', subject: 'group 0' }],
      [{ kind: 'user', subject: 'group 0' }],
    ],
    ['less access to a device', [device('c 10:1')], [device('c 10:1', 'r')], []],
    ['more access to a device', [device('c 10:1', 'r')], [device('c 10:1')], [device('c 10:1')]],
    ['other access to a device', [device('b 8:0', 'r')], [device('b 8:0', 'w')], [device('b 8:0', 'w')]],
    [
      'another kind with the same subject',
      [{ kind: 'program', subject: '/a' }],
      [{ kind: 'hook', subject: '/a' }],
      [{ kind: 'hook', subject: '/a' }],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(listWidening(before, after)).toEqual(expected);
  });
});
