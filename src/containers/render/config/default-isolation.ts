import type { ProcessUser } from '../../../image/user-lookup.ts';

/**
 * What podman gives by default, and so what images are built for: enough for an entrypoint that prepares folders as
 * root and then becomes another user. NET_RAW and MKNOD of Docker's list are left out on purpose: with the host's
 * network the first would read all of its traffic, and nothing needs new device nodes.
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

/** Kernel interfaces that tell about, or change, the host; the list of runc and Docker. */
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
 * Namespaces: mount, pid, ipc and cgroup. The network is the host's, as for all system containers, and its name with
 * it: a uts namespace would only freeze the host name at the start. The cgroup namespace makes `/sys/fs/cgroup` show
 * the container's own limits and hides the units of the host.
 *
 * Devices: there is no rule that denies them. Without CAP_MKNOD the container has only those that the runtime puts
 * into `/dev`, runc denies the others by itself, and for crun a rule needs CAP_SYS_RESOURCE, which root does not
 * have on every machine.
 */
export function buildContainerIsolation(user: ProcessUser) {
  // A user other than root starts without capabilities; the bounding set limits those that it can get.
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
