import type { ProcessUser } from '../../../image/user-lookup.ts';

/**
 * The default capabilities of podman, for which images are built: enough for an entrypoint that prepares folders as
 * root and then becomes another user. NET_RAW and MKNOD of Docker's list are left out: in the network of the host
 * NET_RAW could read all traffic, and no service needs new device nodes.
 */
const capabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

/** Kernel interfaces that show or change the state of the host; the list of runc and Docker. */
const maskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/scsi',
  '/proc/sched_debug',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

const readonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/**
 * Builds the parts of the default configuration that separate the container from the host.
 *
 * Namespaces: mount, pid, ipc and cgroup. The container uses the network and the host name of the host, as all system
 * containers do: a uts namespace would only freeze the host name at the start. The cgroup namespace makes
 * `/sys/fs/cgroup` show the container's own limits and hides the units of the host.
 *
 * Devices: no rule denies them. Without CAP_MKNOD, the container has only the devices that the runtime creates in
 * `/dev`. runc denies the others by itself; for crun a rule needs CAP_SYS_RESOURCE, which root does not have on every
 * machine.
 */
export function buildContainerIsolation(user: ProcessUser) {
  // A user other than root starts without capabilities; the bounding set limits the capabilities that it can get.
  const held = user.uid === 0 ? { effective: capabilities, permitted: capabilities } : {};
  return {
    process: { capabilities: { bounding: capabilities, ...held }, noNewPrivileges: true },
    linux: {
      namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'mount' }, { type: 'cgroup' }],
      maskedPaths,
      readonlyPaths,
    },
  };
}
