/** The shape of an OCI runtime configuration for Linux (specification 1.0 to 1.2), as far as a runtime reads it. */

export type Shape =
  | { readonly kind: 'string' | 'boolean' }
  | { readonly kind: 'integer'; readonly min: bigint; readonly max: bigint }
  | { readonly kind: 'list' | 'map'; readonly item: Shape }
  | { readonly kind: 'object'; readonly fields: Readonly<Record<string, Shape>> };

const string: Shape = { kind: 'string' };
const boolean: Shape = { kind: 'boolean' };
const list = (item: Shape): Shape => ({ kind: 'list', item });
const map = (item: Shape): Shape => ({ kind: 'map', item });
const object = (fields: Readonly<Record<string, Shape>>): Shape => ({ kind: 'object', fields });
const unsigned = (bits: bigint): Shape => ({ kind: 'integer', min: 0n, max: 2n ** bits - 1n });
const signed = (bits: bigint): Shape => ({
  kind: 'integer',
  min: -(2n ** (bits - 1n)),
  max: 2n ** (bits - 1n) - 1n,
});
const [u16, u32, u64, i64] = [unsigned(16n), unsigned(32n), unsigned(64n), signed(64n)];
const strings = list(string);

const mappings = list(object({ containerID: u32, hostID: u32, size: u32 }));

const processShape = object({
  ...{ terminal: boolean, args: strings, env: strings, cwd: string, commandLine: string },
  consoleSize: object({ height: u64, width: u64 }),
  user: object({ uid: u32, gid: u32, umask: u32, additionalGids: list(u32), username: string }),
  capabilities: object({
    ...{ bounding: strings, effective: strings, inheritable: strings, permitted: strings, ambient: strings },
  }),
  rlimits: list(object({ type: string, soft: u64, hard: u64 })),
  ...{ noNewPrivileges: boolean, apparmorProfile: string, selinuxLabel: string, oomScoreAdj: i64 },
});

const hooks = list(object({ path: string, args: strings, env: strings, timeout: i64 }));

const seccomp = object({
  ...{ defaultAction: string, defaultErrnoRet: u32, architectures: strings, flags: strings },
  ...{ listenerPath: string, listenerMetadata: string },
  syscalls: list(
    object({
      ...{ names: strings, action: string, errnoRet: u32 },
      args: list(object({ index: u32, value: u64, valueTwo: u64, op: string })),
    }),
  ),
});

const rates = list(object({ major: i64, minor: i64, rate: u64 }));

const resources = object({
  devices: list(object({ allow: boolean, type: string, major: i64, minor: i64, access: string })),
  memory: object({
    ...{ limit: i64, reservation: i64, swap: i64, kernel: i64, kernelTCP: i64, swappiness: u64 },
    ...{ disableOOMKiller: boolean, useHierarchy: boolean, checkBeforeUpdate: boolean },
  }),
  cpu: object({
    ...{ shares: u64, quota: i64, period: u64, realtimeRuntime: i64, realtimePeriod: u64 },
    ...{ cpus: string, mems: string, idle: i64, burst: u64 },
  }),
  pids: object({ limit: i64 }),
  blockIO: object({
    ...{ weight: u16, leafWeight: u16 },
    weightDevice: list(object({ major: i64, minor: i64, weight: u16, leafWeight: u16 })),
    ...{ throttleReadBpsDevice: rates, throttleWriteBpsDevice: rates },
    ...{ throttleReadIOPSDevice: rates, throttleWriteIOPSDevice: rates },
  }),
  hugepageLimits: list(object({ pageSize: string, limit: u64 })),
  network: object({ classID: u32, priorities: list(object({ name: string, priority: u32 })) }),
  rdma: map(object({ hcaHandles: u32, hcaObjects: u32 })),
  unified: map(string),
});

const linux = object({
  ...{ uidMappings: mappings, gidMappings: mappings, sysctl: map(string), cgroupsPath: string },
  namespaces: list(object({ type: string, path: string })),
  devices: list(
    object({ path: string, type: string, major: i64, minor: i64, fileMode: u32, uid: u32, gid: u32 }),
  ),
  ...{ seccomp, resources, rootfsPropagation: string, mountLabel: string },
  ...{ maskedPaths: strings, readonlyPaths: strings },
  personality: object({ domain: string, flags: strings }),
  intelRdt: object({ closID: string, l3CacheSchema: string, memBwSchema: string }),
  timeOffsets: map(object({ secs: i64, nanosecs: u32 })),
});

export const configShape = object({
  ...{ ociVersion: string, hostname: string, domainname: string, annotations: map(string) },
  process: processShape,
  root: object({ path: string, readonly: boolean }),
  mounts: list(
    object({
      ...{ destination: string, type: string, source: string, options: strings },
      ...{ uidMappings: mappings, gidMappings: mappings },
    }),
  ),
  hooks: object({
    ...{ prestart: hooks, createRuntime: hooks, createContainer: hooks },
    ...{ startContainer: hooks, poststart: hooks, poststop: hooks },
  }),
  linux,
});
