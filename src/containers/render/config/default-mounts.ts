import type { RuntimeMount } from './runtime-config.ts';

/** Files of the host that a container in the network of the host needs to resolve names as the host does. */
export const hostNetworkFiles: readonly string[] = ['/etc/resolv.conf', '/etc/hosts'];

const kernelFileSystems: readonly RuntimeMount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
  },
];

/** A folder that is writable although the root is read-only. */
interface ScratchFolder {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
}

/**
 * The folders to which programs expect to write. runc gives a tmpfs the mode of the folder below it, and creates a
 * missing folder with the mode 0755. So an install with the default configuration creates missing folders with these
 * modes.
 */
const scratchFolders: readonly ScratchFolder[] = [
  { path: '/run', mode: 0o755 },
  { path: '/tmp', mode: 0o1777 },
  { path: '/var/tmp', mode: 0o1777 },
];

/**
 * Builds the mounts of the default configuration. No other files of the host are visible.
 *
 * @param hostFiles the files of `hostNetworkFiles` that exist; with a missing source the container would not start
 */
export function buildDefaultMounts(hostFiles: readonly string[]): readonly RuntimeMount[] {
  // The files come last: `/etc/resolv.conf` of an image may be a link into `/run`.
  return [...kernelFileSystems, ...scratchFolders.map(mountScratch), ...hostFiles.map(bindReadOnly)];
}

/** `tmpcopyup`, which runc and crun support, copies the files of the image at that path, such as a folder in `/run`. */
function mountScratch(folder: ScratchFolder): RuntimeMount {
  const mode = `mode=${folder.mode.toString(8).padStart(4, '0')}`;
  return {
    destination: folder.path,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'nodev', mode, 'tmpcopyup'],
  };
}

function bindReadOnly(path: string): RuntimeMount {
  return {
    destination: path,
    type: 'bind',
    source: path,
    options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
  };
}
