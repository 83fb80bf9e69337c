/** A configuration that starts under runc and crun, and for each rule a change that breaks it. */

type Config = ReturnType<typeof buildStartingConfig>;

/** Needs nothing of the host, and no capability to make changes of it. */
export function buildStartingConfig() {
  return {
    ociVersion: '1.0.2' as unknown,
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ['/bin/true'],
      env: ['PATH=/bin'],
      cwd: '/',
      capabilities: { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] },
    } as Record<string, unknown>,
    root: { path: 'rootfs', readonly: true } as Record<string, unknown>,
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    ] as Record<string, unknown>[],
    linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }] } as Record<string, unknown> & {
      namespaces: Record<string, unknown>[];
    },
  } as Record<string, unknown> & {
    process: Record<string, unknown>;
    mounts: Record<string, unknown>[];
    linux: Record<string, unknown> & { namespaces: Record<string, unknown>[] };
  };
}

/** Name of the rule -> what breaks it, once for each form of the fault. */
export const lintExamples: Readonly<Record<string, readonly ((config: Config) => void)[]>> = {
  'wrong-type': [
    (config) => Object.assign(config.process, { args: ['/bin/true', 1] }),
    (config) => Object.assign(config.process, { capabilities: ['CAP_CHOWN'] }),
    (config) => Object.assign(config.process, { noNewPrivileges: 'true' }),
    (config) => Object.assign(config.linux, { resources: { memory: { limit: '10M' } } }),
    (config) => Object.assign(config, { hooks: [] }),
  ],
  'wrong-number': [
    (config) => Object.assign(config.process, { user: { uid: -1, gid: 0 } }),
    (config) => Object.assign(config.process, { user: { uid: 4294967296, gid: 0 } }),
    (config) => Object.assign(config.process, { oomScoreAdj: 1.5 }),
  ],
  'no-version': [(config) => Object.assign(config, { ociVersion: undefined })],
  'old-version': [(config) => Object.assign(config, { ociVersion: '0.6.0' })],
  'no-process': [(config) => Object.assign(config, { process: undefined })],
  'no-command': [
    (config) => Object.assign(config.process, { args: [] }),
    (config) => Object.assign(config.process, { args: [''] }),
  ],
  'command-without-path': [(config) => Object.assign(config.process, { args: ['true'], env: ['A=b'] })],
  'no-working-directory': [(config) => Object.assign(config.process, { cwd: undefined })],
  'relative-working-directory': [(config) => Object.assign(config.process, { cwd: 'dev' })],
  'bad-environment': [
    (config) => Object.assign(config.process, { env: ['PATH'] }),
    (config) => Object.assign(config.process, { env: ['=x'] }),
  ],
  terminal: [(config) => Object.assign(config.process, { terminal: true })],
  'unknown-capability': [
    (config) => Object.assign(config.process, { capabilities: { bounding: ['CAP_FLY'] } }),
    (config) => Object.assign(config.process, { capabilities: { bounding: ['CHOWN'] } }),
  ],
  'capability-not-permitted': [
    (config) => Object.assign(config.process, { capabilities: { effective: ['CAP_CHOWN'] } }),
    (config) => Object.assign(config.process, { capabilities: { inheritable: ['CAP_CHOWN'] } }),
  ],
  'unknown-rlimit': [
    (config) => Object.assign(config.process, { rlimits: [{ type: 'RLIMIT_FILES', soft: 9, hard: 9 }] }),
    (config) => Object.assign(config.process, { rlimits: [{ soft: 9, hard: 9 }] }),
  ],
  'soft-over-hard': [
    (config) => Object.assign(config.process, { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 90, hard: 80 }] }),
  ],
  'repeated-rlimit': [
    (config) =>
      Object.assign(config.process, {
        rlimits: [
          { type: 'RLIMIT_NOFILE', soft: 90, hard: 90 },
          { type: 'RLIMIT_NOFILE', soft: 80, hard: 80 },
        ],
      }),
  ],
  'oom-score': [(config) => Object.assign(config.process, { oomScoreAdj: 1001 })],
  'no-root': [(config) => Object.assign(config, { root: undefined })],
  'no-destination': [(config) => config.mounts.push({ type: 'tmpfs', source: 'tmpfs' })],
  'relative-destination': [
    (config) => config.mounts.push({ destination: 'tmp', type: 'tmpfs', source: 'tmpfs' }),
  ],
  'no-mount-type': [(config) => config.mounts.push({ destination: '/tmp', source: 'tmpfs' })],
  'bind-without-option': [
    (config) => config.mounts.push({ destination: '/tmp', type: 'bind', source: '/usr' }),
  ],
  'bind-without-source': [
    (config) => config.mounts.push({ destination: '/tmp', type: 'bind', options: ['rbind'] }),
  ],
  'no-proc': [(config) => config.mounts.shift()],
  'unknown-namespace': [
    (config) => config.linux.namespaces.push({ type: 'net' }),
    (config) => config.linux.namespaces.push({}),
  ],
  'repeated-namespace': [(config) => config.linux.namespaces.push({ type: 'pid' })],
  'relative-namespace': [(config) => config.linux.namespaces.push({ type: 'ipc', path: 'proc/1/ns/ipc' })],
  'user-namespace-without-mappings': [(config) => config.linux.namespaces.push({ type: 'user' })],
  'user-not-mapped': [
    (config) => {
      config.linux.namespaces.push({ type: 'user' });
      const gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
      Object.assign(config.linux, { uidMappings: [{ containerID: 1, hostID: 1, size: 9 }], gidMappings });
    },
  ],
  'mappings-without-user-namespace': [
    (config) => Object.assign(config.linux, { uidMappings: [{ containerID: 0, hostID: 1000, size: 9 }] }),
  ],
  'hostname-without-namespace': [(config) => Object.assign(config, { hostname: 'web' })],
  'long-hostname': [
    (config) => {
      config.linux.namespaces.push({ type: 'uts' });
      Object.assign(config, { hostname: 'w'.repeat(65) });
    },
  ],
  'domainname-without-namespace': [(config) => Object.assign(config, { domainname: 'example.org' })],
  'sysctl-without-namespace': [
    (config) => Object.assign(config.linux, { sysctl: { 'net.ipv4.ip_forward': '1' } }),
    (config) => Object.assign(config.linux, { sysctl: { 'kernel.shmmax': '1000000' } }),
    (config) => Object.assign(config.linux, { sysctl: { 'fs.mqueue.msg_max': '10' } }),
    (config) => Object.assign(config.linux, { sysctl: { 'kernel.domainname': 'example.org' } }),
  ],
  'sysctl-of-the-host': [
    (config) => Object.assign(config.linux, { sysctl: { 'vm.swappiness': '60' } }),
    (config) => {
      config.linux.namespaces.push({ type: 'uts' });
      Object.assign(config.linux, { sysctl: { 'kernel.hostname': 'web' } });
    },
  ],
  'unknown-seccomp-action': [
    (config) => Object.assign(config.linux, { seccomp: { defaultAction: 'ALLOW' } }),
    (config) => Object.assign(config.linux, { seccomp: filter({ action: undefined }) }),
  ],
  'no-default-action': [(config) => Object.assign(config.linux, { seccomp: {} })],
  'no-syscall-names': [
    (config) => Object.assign(config.linux, { seccomp: filter({ names: undefined, name: 'mount' }) }),
  ],
  'unknown-seccomp-operator': [
    (config) =>
      Object.assign(config.linux, { seccomp: filter({ args: [{ index: 0, value: 1, op: '==' }] }) }),
  ],
  'seccomp-argument': [
    (config) =>
      Object.assign(config.linux, {
        seccomp: filter({ args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] }),
      }),
  ],
  'errno-without-error': [
    (config) => Object.assign(config.linux, { seccomp: filter({ action: 'SCMP_ACT_KILL', errnoRet: 1 }) }),
  ],
  'unknown-architecture': [
    (config) =>
      Object.assign(config.linux, {
        seccomp: { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_Z80'] },
      }),
  ],
  'no-hook': [(config) => Object.assign(config, { hooks: { prestart: [{}] } })],
  'hook-timeout': [
    (config) =>
      Object.assign(config, {
        hooks: { prestart: [{ path: '/bin/true', args: ['true'], timeout: 0 }] },
      }),
  ],
  'device-path': [(config) => Object.assign(config.linux, { devices: [device({ path: 'dev/foo' })] })],
  'device-type': [(config) => Object.assign(config.linux, { devices: [device({ type: 'x' })] })],
  'device-number': [(config) => Object.assign(config.linux, { devices: [device({ major: -1 })] })],
  'device-rule': [
    (config) => Object.assign(config.linux, { resources: { devices: [{ allow: false, access: '' }] } }),
    (config) =>
      Object.assign(config.linux, { resources: { devices: [{ allow: false, access: 'rwm', type: 'x' }] } }),
  ],
  'swap-limit': [
    (config) => Object.assign(config.linux, { resources: { memory: { swap: 100_000_000 } } }),
    (config) => Object.assign(config.linux, { resources: { memory: { limit: 100_000_000, swap: 1 } } }),
  ],
  'unified-key': [(config) => Object.assign(config.linux, { resources: { unified: { 'a/b': '1' } } })],
};

/**
 * Rules whose effect is another one in each version of a runtime, or needs what the disposable host does not have: they are
 * only warnings, or were tried by hand.
 */
export const untriedRules: readonly string[] = ['time-namespace', 'seccomp-flags', 'relative-hook'];

export function buildExample(change: (config: Config) => void): Record<string, unknown> {
  const config = buildStartingConfig();
  change(config);
  // What is undefined is left out.
  return JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
}

function filter(rule: Readonly<Record<string, unknown>>) {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ERRNO', ...rule }],
  };
}

function device(changed: Readonly<Record<string, unknown>>) {
  return { path: '/dev/foo', type: 'c', major: 1, minor: 3, ...changed };
}
