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
  /** What mount tables show as its source; it has no other meaning. */
  readonly source: string;
  /** Absolute path of a directory. */
  readonly target: string;
  /** Absolute paths without `:`, `,` and `\`, the upper one first. */
  readonly layers: readonly string[];
  readonly flags: readonly MountFlag[];
  /** Whose `overlay.*` attributes the kernel obeys; `user` needs Linux 5.11. */
  readonly attributes: 'trusted' | 'user';
}

/** Mounts an overlay that has no upper directory: nothing can be written to it, not even after a remount. */
export function mountOverlay({ source, target, layers, flags, attributes }: OverlayMount): void {
  const bits = flags.reduce((sum, flag) => sum | MOUNT_FLAGS[flag], 0);
  const data = `lowerdir=${layers.join(':')}${attributes === 'user' ? ',userxattr' : ''}`;
  const result: number = mountCall(source, target, 'overlay', bits, data);
  if (result !== 0) throw new SystemCallFailed('mount', koffi.errno());
}

/** Unmounts what is mounted uppermost at a path; all of it or, when it is in use (EBUSY), nothing. */
export function unmount(path: string): void {
  const result: number = unmountCall(path, UMOUNT_NOFOLLOW);
  if (result !== 0) throw new SystemCallFailed('umount2', koffi.errno());
}
