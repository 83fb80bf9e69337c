/**
 * Every key of the OCI runtime specification (1.0 to 1.2) for Linux. The runtimes read similar keys in different ways,
 * see `strict-runtime-config.ts`.
 */
const specified = `
  ociVersion process root hostname domainname mounts hooks annotations linux
  terminal consoleSize height width user uid gid umask additionalGids username args commandLine env cwd capabilities
  bounding effective inheritable permitted ambient rlimits type hard soft noNewPrivileges apparmorProfile oomScoreAdj
  selinuxLabel ioPriority class priority scheduler policy nice flags runtime deadline period execCPUAffinity initial final
  path readonly destination source options uidMappings gidMappings containerID hostID size
  prestart createRuntime createContainer startContainer poststart poststop timeout
  namespaces devices major minor fileMode cgroupsPath rootfsPropagation maskedPaths readonlyPaths mountLabel sysctl
  timeOffsets secs nanosecs personality domain seccomp intelRdt netDevices resources
  defaultAction defaultErrnoRet architectures listenerPath listenerMetadata syscalls names name action errnoRet index value
  valueTwo op closID l3CacheSchema memBwSchema schemata enableCMT enableMBM enableMonitoring
  allow access memory limit reservation swap kernel kernelTCP swappiness disableOOMKiller useHierarchy checkBeforeUpdate
  cpu shares quota burst realtimeRuntime realtimePeriod cpus mems idle pids blockIO weight leafWeight weightDevice
  throttleReadBpsDevice throttleWriteBpsDevice throttleReadIOPSDevice throttleWriteIOPSDevice rate hugepageLimits pageSize
  network classID priorities rdma hcaHandles hcaObjects unified
`;

/** Objects whose keys the author of the image chooses. */
export const freeObjects: ReadonlySet<string> = new Set([
  'annotations',
  'sysctl',
  'unified',
  'rdma',
  'netDevices',
]);

const byFoldedKey = new Map(
  specified
    .split(/\s+/)
    .filter((key) => key !== '')
    .map((key) => [foldKey(key), key]),
);

/**
 * Finds the key of the specification as which Go reads a key. `encoding/json` ignores case, in Unicode: the long s
 * U+017F is an `s`, the Kelvin sign U+212A is a `k`.
 *
 * @returns `undefined` when the key is in the specification, or is similar to none of its keys
 */
export function findIntendedKey(key: string): string | undefined {
  const intended = byFoldedKey.get(foldKey(key));
  return intended === key ? undefined : intended;
}

function foldKey(key: string): string {
  return key.toUpperCase().toLowerCase();
}
