import type { JsonObject } from '../../base/json-text.ts';
import {
  bothRefuse,
  bothStart,
  type ConfigRule,
  findRepeated,
  isAbsent,
  noStart,
  onlyCrunRefuses,
  onlyRuncRefuses,
  readList,
  readNumber,
  readObject,
  readObjects,
  readText,
  readTexts,
} from './rule.ts';

/** capabilities(7), up to Linux 6. */
const capabilities = new Set(
  `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT
  SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
  WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
    .split(/\s+/)
    .map((name) => `CAP_${name}`),
);
const capabilitySets = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'];

const rlimits = new Set(
  `AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING STACK`
    .split(' ')
    .map((name) => `RLIMIT_${name}`),
);

export const processRules: readonly ConfigRule[] = [
  {
    ...{ name: 'no-version', ...onlyCrunRefuses, reason: 'runc does not look at it' },
    find: ({ ociVersion }) => (isAbsent(ociVersion) ? [{ where: 'ociVersion', problem: 'is missing' }] : []),
  },
  {
    ...{ name: 'old-version', ...bothStart, reason: 'older versions of crun do not start it' },
    find: ({ ociVersion }) =>
      isAbsent(ociVersion) || /^1\.0/.test(readText(ociVersion))
        ? []
        : [{ where: 'ociVersion', problem: 'is not 1.0' }],
  },
  {
    ...{ name: 'no-process', ...bothRefuse, reason: noStart },
    find: ({ process }) => (isAbsent(process) ? [{ where: 'process', problem: 'is missing' }] : []),
  },
  {
    ...{ name: 'no-command', ...bothRefuse, reason: noStart },
    find: ({ process }) => {
      const [command] = readList(readObject(process).args);
      const where = 'process.args';
      if (command === undefined) return [{ where, problem: 'must name the command to run' }];
      return command === '' ? [{ where: `${where}[0]`, problem: 'is empty' }] : [];
    },
  },
  {
    ...{ name: 'command-without-path', ...bothRefuse, reason: 'the runtimes do not find the command' },
    find: ({ process }) => {
      const { args, env } = readObject(process);
      const [command] = readList(args);
      const isName = typeof command === 'string' && command !== '' && !command.includes('/');
      const hasPath = readTexts(env, '').some(([line]) => line.startsWith('PATH='));
      return isName && !hasPath
        ? [{ where: 'process.args[0]', problem: 'is no path, and process.env has no PATH' }]
        : [];
    },
  },
  {
    ...{ name: 'no-working-directory', ...bothRefuse, reason: noStart },
    find: ({ process }) =>
      readText(readObject(process).cwd) === '' ? [{ where: 'process.cwd', problem: 'is missing' }] : [],
  },
  {
    ...{ name: 'relative-working-directory', ...onlyRuncRefuses, reason: 'it must begin with /' },
    find: ({ process }) => {
      const cwd = readText(readObject(process).cwd);
      return cwd === '' || cwd.startsWith('/') ? [] : [{ where: 'process.cwd', problem: 'is relative' }];
    },
  },
  {
    ...{ name: 'bad-environment', ...onlyRuncRefuses, reason: 'each item must be NAME=VALUE' },
    find: ({ process }) =>
      readTexts(readObject(process).env, 'process.env')
        .filter(([line]) => line.indexOf('=') < 1)
        .map(([, where]) => ({ where, problem: 'is no NAME=VALUE' })),
  },
  {
    ...{
      name: 'terminal',
      ...bothRefuse,
      reason: 'a service has no terminal, and the runtimes do not start it',
    },
    find: ({ process }, { hasTerminal }) =>
      readObject(process).terminal === true && !hasTerminal
        ? [{ where: 'process.terminal', problem: 'is true' }]
        : [],
  },
  {
    ...{ name: 'unknown-capability', ...bothStart, reason: 'the service does not get it' },
    find: ({ process }) =>
      listCapabilities(process, capabilitySets)
        .filter(([name]) => !capabilities.has(name))
        .map(([name, where]) => ({
          where,
          problem: name.startsWith('CAP_')
            ? `is no capability`
            : 'is no capability, their names begin with CAP_',
        })),
  },
  {
    ...{ name: 'capability-not-permitted', ...bothRefuse, reason: noStart },
    find: ({ process }) => [
      ...findCapabilitiesOutside(process, 'effective', 'permitted'),
      ...findCapabilitiesOutside(process, 'inheritable', 'bounding'),
    ],
  },
  {
    ...{ name: 'unknown-rlimit', ...bothRefuse, reason: noStart },
    find: ({ process }) =>
      readObjects(readObject(process).rlimits, 'process.rlimits')
        .filter(([{ type }]) => !rlimits.has(readText(type)))
        .map(([{ type }, where]) => ({
          where: `${where}.type`,
          problem: isAbsent(type) ? 'is missing' : 'is no limit of Linux',
        })),
  },
  {
    ...{ name: 'soft-over-hard', ...bothRefuse, reason: noStart },
    find: ({ process }) =>
      readObjects(readObject(process).rlimits, 'process.rlimits')
        .filter(([{ soft, hard }]) => readNumber(soft) > readNumber(hard))
        .map(([, where]) => ({ where: `${where}.soft`, problem: 'is more than hard' })),
  },
  {
    ...{ name: 'repeated-rlimit', ...bothStart, reason: 'the last one counts, or none when it is higher' },
    find: ({ process }) =>
      findRepeated(
        readObjects(readObject(process).rlimits, 'process.rlimits').map(([{ type }, where]) => [
          readText(type),
          where,
        ]),
      ).map(([, where]) => ({ where, problem: 'is there twice' })),
  },
  {
    ...{ name: 'oom-score', ...bothRefuse, reason: noStart },
    find: ({ process }) => {
      const isOutside = Math.abs(readNumber(readObject(process).oomScoreAdj)) > 1000;
      return isOutside ? [{ where: 'process.oomScoreAdj', problem: 'is not from -1000 to 1000' }] : [];
    },
  },
];

function listCapabilities(process: unknown, sets: readonly string[]): readonly (readonly [string, string])[] {
  const held: JsonObject = readObject(readObject(process).capabilities);
  return sets.flatMap((set) => readTexts(held[set], `process.capabilities.${set}`));
}

/** The kernel gives no capability that the other set does not have. What is no capability is ignored before. */
function findCapabilitiesOutside(process: unknown, set: string, other: string) {
  const allowed = new Set(listCapabilities(process, [other]).map(([name]) => name));
  return listCapabilities(process, [set])
    .filter(([name]) => capabilities.has(name) && !allowed.has(name))
    .map(([name, where]) => ({ where, problem: `${name} is not in the set '${other}'` }));
}
