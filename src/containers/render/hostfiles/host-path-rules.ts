/**
 * Paths of the host that an image may not write, and paths that give an image power over the host. docs/security.md
 * lists both.
 */
import { type HostFilesRecord, isAtOrBelow } from './host-file.ts';

/** Accounts, the loader of programs, the boot of the machine; the paths of the last group are not for files. */
const refusedPaths = [
  ...['/etc/passwd', '/etc/shadow', '/etc/group', '/etc/gshadow', '/etc/subuid', '/etc/subgid'],
  ...['/etc/passwd-', '/etc/shadow-', '/etc/group-', '/etc/gshadow-', '/etc/sudoers'],
  ...['/etc/ld.so.preload', '/etc/ld.so.conf', '/etc/ld.so.conf.d', '/etc/ld.so.cache'],
  ...[
    '/etc/fstab',
    '/etc/crypttab',
    '/etc/machine-id',
    '/etc/atomic.conf',
    '/boot',
    '/efi',
    '/sysroot',
    '/ostree',
  ],
  ...['/proc', '/sys', '/dev', '/run', '/var/run', '/var/lock', '/tmp'],
];

const trustedPaths = [
  // systemd and the files that it reads
  ...['/etc/systemd', '/usr/lib/systemd', '/usr/local/lib/systemd', '/usr/share/systemd'],
  ...['tmpfiles.d', 'sysusers.d', 'sysctl.d', 'modules-load.d', 'binfmt.d', 'environment.d'].flatMap(
    configFolders,
  ),
  // programs that run at a time, at a login, at an event
  ...[
    '/etc/crontab',
    '/etc/anacrontab',
    '/etc/cron.d',
    '/var/spool/cron',
    '/var/spool/at',
    '/etc/logrotate.d',
  ],
  ...['/etc/cron.hourly', '/etc/cron.daily', '/etc/cron.weekly', '/etc/cron.monthly'],
  ...['/etc/profile', '/etc/profile.d', '/etc/bash.bashrc', '/etc/bashrc', '/etc/bash_completion.d'],
  ...[
    '/etc/environment',
    '/etc/skel',
    '/etc/xdg/autostart',
    '/etc/update-motd.d',
    '/root',
    '/home',
    '/var/roothome',
  ],
  ...['/etc/init.d', '/etc/rc.d', '/etc/rc.local', '/etc/inittab', '/etc/xinetd.d', '/etc/inetd.conf'],
  ...['/etc/NetworkManager', '/usr/lib/NetworkManager', '/etc/network', '/etc/dhcp', '/etc/ppp', '/etc/acpi'],
  ...[
    '/etc/udev',
    '/usr/lib/udev',
    '/etc/modprobe.d',
    '/usr/lib/modprobe.d',
    '/usr/lib/modules',
    '/usr/lib/firmware',
  ],
  ...['/etc/dracut.conf', '/etc/dracut.conf.d', '/usr/lib/dracut', '/etc/initramfs-tools', '/etc/kernel'],
  ...['/usr/lib/kernel', '/etc/grub.d', '/etc/default', '/etc/sysconfig'],
  // permissions
  ...['/etc/sudoers.d', '/etc/doas.conf', '/etc/pam.conf', '/etc/pam.d', '/etc/security', '/usr/lib/pam.d'],
  ...[
    '/usr/lib/security',
    '/usr/lib64/security',
    '/etc/ssh',
    '/etc/login.defs',
    '/etc/shells',
    '/etc/nsswitch.conf',
  ],
  ...['/etc/polkit-1', '/usr/share/polkit-1', '/usr/lib/polkit-1', '/var/lib/polkit-1'],
  ...['/etc/dbus-1', '/usr/share/dbus-1', '/etc/selinux', '/etc/apparmor.d', '/etc/audit', '/etc/hosts'],
  // trusted sources
  ...[
    '/etc/pki',
    '/etc/ssl',
    '/etc/ca-certificates',
    '/usr/share/ca-certificates',
    '/usr/local/share/ca-certificates',
  ],
  ...['/usr/share/pki', '/etc/apt', '/etc/dnf', '/etc/yum', '/etc/yum.conf', '/etc/yum.repos.d', '/etc/zypp'],
  ...['/etc/containers', '/usr/share/containers', '/usr/libexec/oci'],
];

function configFolders(name: string): readonly string[] {
  return [`/etc/${name}`, `/usr/lib/${name}`, `/usr/local/lib/${name}`];
}

/**
 * Says why a path must not come from an image.
 *
 * @param own folders of `atomic` and of its settings, and the files that it writes for the container
 * @returns the end of a sentence about the path; undefined when it may
 */
export function findRefusal(path: string, own: readonly string[]): string | undefined {
  if (own.some((folder) => isAtOrBelow(path, folder))) {
    return 'which belongs to atomic';
  }
  return refusedPaths.some((refused) => isAtOrBelow(path, refused))
    ? 'which never comes from an image'
    : undefined;
}

/** Whether the host runs or trusts a file at this path by itself. */
export function isTrustedPath(path: string): boolean {
  const names = listLayoutNames(path);
  return (
    trustedPaths.some((trusted) => names.some((name) => isAtOrBelow(name, trusted))) ||
    /^\/etc\/rc[0-6S]\.d(\/|$)/.test(path) ||
    path.split('/').includes('.ssh')
  );
}

/** Whether systemd must read its units again after a file at this path has changed. */
export function bringsUnits({ paths }: HostFilesRecord): boolean {
  return paths.some((path) => /^\/(?:etc|usr\/lib|usr\/local\/lib)\/systemd\/system\//.test(path));
}

/** Symlinks in the root of the host that only give a folder another name: merged `/usr`, and hosts made by OSTree. */
const layoutLinks: Readonly<Record<string, readonly string[]>> = {
  '/bin': ['/usr/bin'],
  '/sbin': ['/usr/sbin', '/usr/bin'],
  '/lib': ['/usr/lib'],
  '/lib32': ['/usr/lib32'],
  '/lib64': ['/usr/lib64', '/usr/lib'],
  '/libx32': ['/usr/libx32'],
  '/usr/sbin': ['/usr/bin'],
  '/usr/lib64': ['/usr/lib'],
  '/usr/local': ['/var/usrlocal'],
  '/opt': ['/var/opt'],
  '/srv': ['/var/srv'],
  '/home': ['/var/home'],
  '/root': ['/var/roothome'],
};

/** @param target absolute target of the symlink */
export function isLayoutLink(link: string, target: string): boolean {
  return layoutLinks[link]?.includes(target) ?? false;
}

/** The names of a path on hosts with a symlink of the layout: `/lib/udev` and `/usr/lib/udev`. The path is one of them. */
function listLayoutNames(path: string): readonly string[] {
  const move = (from: string, to: string) =>
    isAtOrBelow(path, from) ? [`${to}${path.slice(from.length)}`] : [];
  const moved = Object.entries(layoutLinks).flatMap(([link, targets]) =>
    targets.flatMap((target) => [...move(link, target), ...move(target, link)]),
  );
  return [path, ...moved];
}
