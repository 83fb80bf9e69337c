import type { JsonObject } from '../../base/json-text.ts';
import {
  bothRefuse,
  bothStart,
  type ConfigRule,
  isAbsent,
  noStart,
  onlyCrunRefuses,
  readList,
  readNumber,
  readObject,
  readObjects,
  readText,
  readTexts,
} from './rule.ts';

const actions = new Set(
  'KILL KILL_PROCESS KILL_THREAD TRAP ERRNO TRACE ALLOW LOG NOTIFY'
    .split(' ')
    .map((name) => `SCMP_ACT_${name}`),
);
/** Only these return a number. */
const withNumber = new Set(['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE']);
const operators = new Set('NE LT LE EQ GE GT MASKED_EQ'.split(' ').map((name) => `SCMP_CMP_${name}`));
const architectures = new Set(
  `X86 X86_64 X32 ARM AARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC
  PARISC64 RISCV64 LOONGARCH64`
    .split(/\s+/)
    .map((name) => `SCMP_ARCH_${name}`),
);
const maxIndex = 5;

export const seccompRules: readonly ConfigRule[] = [
  {
    ...{ name: 'unknown-seccomp-action', ...bothRefuse, reason: noStart },
    find: (config) =>
      [...listSyscalls(config), ...listDefault(config)]
        .filter(([{ action }]) => !actions.has(readText(action)))
        .map(([{ action }, where, key]) => ({
          where: `${where}.${key}`,
          problem: isAbsent(action) ? 'is missing' : 'is no action of seccomp',
        })),
  },
  {
    ...{ name: 'no-default-action', ...onlyCrunRefuses, reason: 'runc lets every call through' },
    find: (config) =>
      readSeccomp(config) !== undefined && isAbsent(readSeccomp(config)?.defaultAction)
        ? [{ where: 'linux.seccomp.defaultAction', problem: 'is missing' }]
        : [],
  },
  {
    ...{ name: 'no-syscall-names', ...onlyCrunRefuses, reason: 'runc ignores the rule' },
    find: (config) =>
      listSyscalls(config)
        .filter(([{ names }]) => isAbsent(names))
        .map(([, where]) => ({ where: `${where}.names`, problem: 'is missing' })),
  },
  {
    ...{ name: 'unknown-seccomp-operator', ...bothRefuse, reason: noStart },
    find: (config) =>
      listArguments(config)
        .filter(([{ op }]) => !operators.has(readText(op)))
        .map(([{ op }, where]) => ({
          where: `${where}.op`,
          problem: isAbsent(op) ? 'is missing' : 'is no comparison of seccomp',
        })),
  },
  {
    ...{ name: 'seccomp-argument', ...bothRefuse, reason: noStart },
    find: (config) =>
      listArguments(config)
        .filter(([{ index }]) => readNumber(index) > maxIndex)
        .map(([, where]) => ({ where: `${where}.index`, problem: `is more than ${maxIndex}` })),
  },
  {
    ...{ name: 'errno-without-error', ...onlyCrunRefuses, reason: 'runc ignores it' },
    find: (config) =>
      listSyscalls(config)
        .filter(([{ action, errnoRet }]) => !isAbsent(errnoRet) && !withNumber.has(readText(action)))
        .map(([, where]) => ({ where: `${where}.errnoRet`, problem: 'does not belong to its action' })),
  },
  {
    ...{ name: 'unknown-architecture', ...bothRefuse, reason: noStart },
    find: (config) =>
      readTexts(readSeccomp(config)?.architectures, 'linux.seccomp.architectures')
        .filter(([name]) => !architectures.has(name))
        .map(([, where]) => ({ where, problem: 'is no architecture of seccomp' })),
  },
  {
    ...{ name: 'seccomp-flags', ...bothStart, reason: 'runc before 1.2 does not start it' },
    find: (config) =>
      readList(readSeccomp(config)?.flags).length > 0
        ? [{ where: 'linux.seccomp.flags', problem: 'is set' }]
        : [],
  },
];

function readSeccomp({ linux }: JsonObject): JsonObject | undefined {
  const { seccomp } = readObject(linux);
  return isAbsent(seccomp) ? undefined : readObject(seccomp);
}

function listSyscalls(config: JsonObject) {
  return readObjects(readSeccomp(config)?.syscalls, 'linux.seccomp.syscalls').map(
    ([syscall, where]) => [syscall, where, 'action'] as const,
  );
}

/** A missing default action is another fault. */
function listDefault(config: JsonObject) {
  const action = readSeccomp(config)?.defaultAction;
  return isAbsent(action) ? [] : [[{ action } as JsonObject, 'linux.seccomp', 'defaultAction'] as const];
}

function listArguments(config: JsonObject) {
  return listSyscalls(config).flatMap(([{ args }, where]) => readObjects(args, `${where}.args`));
}
