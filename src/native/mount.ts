/** mount(2) and umount2(2). Both throw `SystemCallFailed`. */
import { koffi, loadLibrary } from './koffi.ts';
import { SystemCallFailed } from './libc.ts';

const libc = loadLibrary('libc.so.6');
const mountCall = libc.func(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const unmountCall = libc.func('int umount2(const char *target, int flags)');

/** Flags of one mount, by the names of mount(8); sys/mount.h. */
const MOUNT_FLAGS = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  noatime: 0x400,
  nodiratime: 0x800,
  relatime: 0x200000,
} as const;
const UMOUNT_NOFOLLOW = 8;

type MountFlag = keyof typeof MOUNT_FLAGS;

interface OverlayMount {
  /** Text that mount tables show as the source of the mount. */
  readonly source: string;
  /** Absolute path of a directory. */
  readonly target: string;
  /** Absolute paths without `:`, `,` and `\`, the upper one first. */
  readonly layers: readonly string[];
  readonly flags: readonly MountFlag[];
  /** Namespace of the `overlay.*` attributes that the kernel obeys; `user` needs Linux 5.11. */
  readonly attributes: 'trusted' | 'user';
}

/** Mounts an overlay without an upper directory: it stays read-only, also after a remount. */
export function mountOverlay({ source, target, layers, flags, attributes }: OverlayMount): void {
  const bits = flags.reduce((sum, flag) => sum | MOUNT_FLAGS[flag], 0);
  const data = `lowerdir=${layers.join(':')}${attributes === 'user' ? ',userxattr' : ''}`;
  const result: number = mountCall(source, target, 'overlay', bits, data);
  if (result !== 0) throw new SystemCallFailed('mount', koffi.errno());
}

/** Unmounts the uppermost mount at a path. @throws SystemCallFailed EBUSY when it is in use; it is then still mounted */
export function unmountPath(path: string): void {
  const result: number = unmountCall(path, UMOUNT_NOFOLLOW);
  if (result !== 0) throw new SystemCallFailed('umount2', koffi.errno());
}
