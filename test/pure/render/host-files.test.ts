import { expect, test } from 'bun:test';
import { listHostFilePrivileges } from '../../../src/containers/consent/host-file-privileges.ts';
import { listWidening } from '../../../src/containers/consent/privilege.ts';
import {
  findRefusal,
  isLayoutLink,
  isTrustedPath,
} from '../../../src/containers/render/hostfiles/host-path-rules.ts';
import {
  normalizeRenames,
  renameHostPath,
  requireDistinctPaths,
  requirePlainPath,
  substituteRenames,
} from '../../../src/containers/render/hostfiles/rename-host-files.ts';

const rename = (path: string, renames: Readonly<Record<string, string>>) =>
  renameHostPath(path, normalizeRenames(renames));

test.each([
  ['/usr/bin/ctl', { '/usr/bin/ctl': '/usr/bin/webctl' }, '/usr/bin/webctl'],
  ['/etc/etcd/etcd.conf', { '/etc/etcd': '/etc/web' }, '/etc/web/etcd.conf'],
  ['/etc/etcd/a/b', { '/etc/etcd/': '/etc//web', '/etc/web/a': '/srv' }, '/srv/b'],
  ['/top', { '/top': '/etc/top' }, '/etc/top'],
  ['/etc/etcd.conf', { '/etc/etcd': '/etc/web', etc: '/x' }, '/etc/etcd.conf'],
  ['/constructor', {}, '/constructor'],
])('%s with %j goes to %s', (path, renames, expected) => {
  expect(rename(path, renames)).toBe(expected);
});

test('values of renames are templates; the first without a value is named as the original does', () => {
  expect(substituteRenames({ '/a': '/b/${NAME}ctl' }, { NAME: 'web' })).toEqual({ '/a': '/b/webctl' });
  expect(() => substituteRenames({ '/a': '$X' }, {})).toThrow(
    "The template file 'manifest.json' still contains an unreplaced value for: ''X''",
  );
});

test.each([
  'x',
  '',
  '/',
  '/..',
  '/a/../b',
  '/a/..',
  '/a\nb',
  '/a\u0000',
  '/a\u009b',
  `/${'x'.repeat(250)}`,
  '/x'.repeat(2000),
])('%j is no plain path', (path) => {
  expect(() => requirePlainPath(path)).toThrow('of a host file');
  expect(() => normalizeRenames({ '/a': path })).toThrow('of a host file');
});

test('a path comes once, and only folders have something below them', () => {
  requireDistinctPaths(['/a/b', '/a/bc', '/a/c']);
  expect(() => requireDistinctPaths(['/a', '/a'])).toThrow('two files');
  expect(() => requireDistinctPaths(['/a/b/c', '/a'])).toThrow('/a is not a folder');
});

const own = ['/ostree-store', '/etc/systemd/system/web.service'];

test.each([
  ...['/etc/passwd', '/etc/gshadow', '/etc/ld.so.preload', '/etc/ld.so.conf.d/x.conf', '/boot', '/boot/x'],
  ...[
    '/proc/x',
    '/sys/x',
    '/dev/x',
    '/run/x',
    '/var/run/x',
    '/ostree-store/x',
    '/etc/systemd/system/web.service',
  ],
])('%s never comes from an image', (path) => {
  expect(findRefusal(path, own)).toBeDefined();
});

/** Host files of the public images of etcd, flannel, kubernetes, cri-o and Magnum. */
const common = [
  ...[
    '/usr/local/bin/etcdctl',
    '/etc/etcd/etcd.conf',
    '/etc/docker/daemon.json',
    '/etc/cni/net.d/100-crio.conf',
  ],
  ...[
    '/opt/cni/bin/bridge',
    '/etc/crio/crio.conf',
    '/etc/kubernetes/config',
    '/usr/bin/crictl',
    '/etc/passwd.d/x',
  ],
  ...['/etc/crio-umount.conf', '/usr/libexec/cni/loopback', '/devices', '/bootstrap'],
];

test.each(common)('%s is a plain file', (path) => {
  expect(findRefusal(path, own)).toBeUndefined();
  expect(isTrustedPath(path)).toBe(false);
});

test.each([
  ...['/etc/systemd/system/web.socket', '/usr/lib/systemd/system/crio-shutdown.service', '/etc/sudoers.d/x'],
  ...[
    '/etc/cron.d/x',
    '/etc/pam.d/su',
    '/usr/lib/udev/rules.d/1.rules',
    '/etc/profile.d/x.sh',
    '/etc/modprobe.d/x',
  ],
  ...['/usr/share/polkit-1/rules.d/x', '/etc/dbus-1/system.d/x.conf', '/etc/init.d/x', '/etc/rc3.d/S1x'],
  // Names of the layout: merged /usr, and hosts made by OSTree.
  ...['/lib/udev/rules.d/1.rules', '/lib/systemd/system/x.service', '/lib64/security/pam_x.so'],
  ...['/var/home/me/.profile', '/var/usrlocal/lib/systemd/system/x.service'],
  ...['/srv/me/.ssh/authorized_keys', '/usr/lib/tmpfiles.d/x.conf', '/usr/local/lib/sysctl.d/x.conf'],
])('%s is trusted by the host', (path) => {
  expect(findRefusal(path, own)).toBeUndefined();
  expect(isTrustedPath(path)).toBe(true);
});

test('a program that changes its user is trusted, and asks for more than a plain one', () => {
  const file = { path: '/usr/bin/x', kind: 'file', mode: 0o755 } as const;
  const plain = listHostFilePrivileges([file]);
  const setuid = listHostFilePrivileges([{ ...file, mode: 0o4755 }]);
  expect(plain).toEqual([{ kind: 'host-file', subject: '/usr/bin/x', access: 'plain' }]);
  expect(listWidening(plain, setuid)).toEqual(setuid);
  expect(listWidening(setuid, plain)).toEqual([]);
});

test.each([
  ['/lib', '/usr/lib', true],
  ['/lib', '/usr/local/lib', false],
  ['/opt', '/var/opt', true],
  ['/etc/cni', '/var/cni', false],
])('%s -> %s belongs to the layout: %p', (link, target, expected) => {
  expect(isLayoutLink(link, target)).toBe(expected);
});
