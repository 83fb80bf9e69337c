import type { RunFolder } from './run-folders.ts';
import type { RuntimeMount } from './runtime-config.ts';

/** The name servers of the host. */
export const hostResolverFile = '/etc/resolv.conf';
/** Files of the host that belong to its network and its host name, which the container shares. */
export const hostNetworkFiles: readonly string[] = [hostResolverFile, '/etc/hosts', '/etc/hostname'];
/** The time zone of the host, for an image that has none. */
export const hostTimeFile = '/etc/localtime';

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
 * The folders to which programs expect to write what need not last. The mode is that of a folder that the image does not
 * have; runc and crun give a tmpfs the owner and the mode of the folder below it.
 */
const scratchFolders: readonly ScratchFolder[] = [
  { path: '/run', mode: 0o755 },
  { path: '/tmp', mode: 0o1777 },
  { path: '/var/cache', mode: 0o755 },
  { path: '/var/log', mode: 0o755 },
  { path: '/var/tmp', mode: 0o1777 },
];

/** A folder of the host that a folder of the container shows. */
interface VolumeMount {
  readonly path: string;
  readonly source: string;
}

export interface MountFacts {
  /** None is inside another one. */
  readonly volumes: readonly VolumeMount[];
  /** Folders in `/run` that the image does not have. */
  readonly runFolders: readonly RunFolder[];
  /** Files of the host that exist, for the same paths of the container; with a missing one it would not start. */
  readonly hostFiles: readonly string[];
}

/** Builds the mounts of the default configuration. No other files of the host are visible. */
export function buildDefaultMounts({ volumes, runFolders, hostFiles }: MountFacts): readonly RuntimeMount[] {
  const isOutside = ({ path }: { readonly path: string }) =>
    !volumes.some((volume) => path === volume.path || path.startsWith(`${volume.path}/`));
  return [
    ...kernelFileSystems,
    ...scratchFolders.filter(isOutside).map(mountScratch),
    ...runFolders.filter(isOutside).map(mountRunFolder),
    // A volume may be inside one of the folders above.
    ...volumes.map(bindVolume),
    // The files come last: `/etc/resolv.conf` of an image may be a link into `/run`.
    ...hostFiles.map(bindReadOnly),
  ];
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

function mountRunFolder({ path, mode, uid, gid }: RunFolder): RuntimeMount {
  return {
    destination: path,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'nodev', `mode=${mode.toString(8).padStart(4, '0')}`, `uid=${uid}`, `gid=${gid}`],
  };
}

function bindVolume({ path, source }: VolumeMount): RuntimeMount {
  return { destination: path, type: 'bind', source, options: ['rbind', 'rw', 'nosuid', 'nodev'] };
}

function bindReadOnly(path: string): RuntimeMount {
  return {
    destination: path,
    type: 'bind',
    source: path,
    options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
  };
}
