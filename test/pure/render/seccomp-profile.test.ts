import { describe, expect, test } from 'bun:test';
import { applySeccomp } from '../../../src/containers/render/config/apply-seccomp.ts';
import {
  buildSeccompFilter,
  parseSeccompProfile,
} from '../../../src/containers/render/config/seccomp-profile.ts';

const reject = (problem: string) => new Error(problem);
const machine = { architecture: 'amd64', kernel: '6.1.0-18-amd64' };
const allow = 'SCMP_ACT_ALLOW';

const profile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  defaultErrno: 'ENOSYS',
  archMap: [
    { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    { architecture: 'SCMP_ARCH_S390X', subArchitectures: null },
  ],
  syscalls: [
    { names: ['read', 'write'], action: allow, args: null, comment: '', includes: {}, excludes: {} },
    { name: 'uselib', action: 'SCMP_ACT_ERRNO', errno: 'EPERM', errnoRet: 1 },
    { names: ['chroot'], action: allow, includes: { caps: ['CAP_SYS_CHROOT'] } },
    { names: ['chroot'], action: 'SCMP_ACT_ERRNO', errnoRet: 1, excludes: { caps: ['CAP_SYS_CHROOT'] } },
    { names: ['arch_prctl'], action: allow, includes: { arches: ['amd64', 'x32'] } },
    { names: ['breakpoint'], action: allow, includes: { arches: ['arm'] } },
    { names: ['ptrace'], action: allow, includes: { minKernel: '4.8' } },
    { names: ['future'], action: allow, includes: { minKernel: '6.10' } },
    { names: ['old'], action: allow, excludes: { minKernel: '6.1' } },
    { names: ['x86'], action: allow, excludes: { arches: ['amd64'] } },
    { names: ['socket'], action: allow, args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }] },
  ],
};

function build(document: object, capabilities: readonly string[], on = machine) {
  return buildSeccompFilter(parseSeccompProfile({ ...document }, reject), on, capabilities);
}

function listNames(filter: { readonly syscalls?: unknown }): readonly string[] {
  return (filter.syscalls as { readonly names: readonly string[]; readonly action: string }[]).flatMap(
    ({ names, action }) => names.map((name) => (action === allow ? name : `not ${name}`)),
  );
}

test('a filter has the keys of the runtime specification, and the rules for its machine and capabilities', () => {
  expect(build(profile, ['CAP_CHOWN'])).toEqual({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [
      { names: ['read', 'write'], action: allow },
      { names: ['uselib'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
      { names: ['chroot'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
      { names: ['arch_prctl'], action: allow },
      { names: ['ptrace'], action: allow },
      { names: ['socket'], action: allow, args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }] },
    ],
  });
});

test.each([
  [['CAP_SYS_CHROOT'], machine, 'read write not uselib chroot arch_prctl ptrace socket'],
  [[], { ...machine, kernel: '4.8.1' }, 'read write not uselib not chroot arch_prctl ptrace old socket'],
  [[], { ...machine, kernel: '4.7-rc1' }, 'read write not uselib not chroot arch_prctl old socket'],
  [[], { ...machine, kernel: '10.0' }, 'read write not uselib not chroot arch_prctl ptrace future socket'],
  [[], { ...machine, architecture: 'arm64' }, 'read write not uselib not chroot ptrace x86 socket'],
])('with %j on %j', (capabilities, on, names) => {
  expect(listNames(build(profile, capabilities, on)).join(' ')).toBe(names);
});

test.each([
  [profile, 'arm64', ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']],
  [profile, 'riscv64', undefined],
  [{ ...profile, architectures: ['SCMP_ARCH_X86'] }, 'amd64', ['SCMP_ARCH_X86']],
  [{ ...profile, archMap: null }, 'amd64', undefined],
])('%#: the architectures on %s', (document, architecture, expected) => {
  expect(build(document, [], { ...machine, architecture }).architectures).toEqual(expected as never);
});

test.each([
  [{}, 'it has no defaultAction'],
  [{ defaultAction: 1 }, 'defaultAction must be a string'],
  [{ defaultAction: allow, syscalls: {} }, 'syscalls must be an array'],
  [{ defaultAction: allow, syscalls: [{ action: allow }] }, 'syscalls[0] names no system call'],
  [{ defaultAction: allow, syscalls: [{ names: [1] }] }, 'syscalls[0].names[0] must be a string'],
  [
    { defaultAction: allow, syscalls: [{ name: 'read', errno: 'EPERM' }] },
    'syscalls[0] has errno without errnoRet',
  ],
  [
    { defaultAction: allow, syscalls: [{ name: 'read', includes: { caps: 'CAP_KILL' } }] },
    'syscalls[0].includes.caps must be an array',
  ],
  [{ defaultAction: allow, archMap: ['x'] }, 'archMap[0] must be an object'],
])('%j is refused', (document, problem) => {
  expect(() => parseSeccompProfile(document, reject)).toThrow(new Error(problem));
});

describe('a configuration', () => {
  const parsed = parseSeccompProfile(profile, reject);
  const config = { process: { args: ['a'] }, linux: { namespaces: [], seccomp: { defaultAction: 'old' } } };
  test.each([
    [{ bounding: ['CAP_SYS_CHROOT'], effective: [] }, true],
    [{ bounding: ['cap_sys_chroot'] }, true],
    [['CAP_SYS_CHROOT'], true],
    [{ bounding: [], effective: ['CAP_SYS_CHROOT'] }, false],
    [undefined, false],
  ])('with the capabilities %j', (capabilities, mayChroot) => {
    const given = { ...config, process: { args: ['a'], capabilities } };
    const { linux, ...others } = applySeccomp(given, parsed, machine);
    const { seccomp, ...rest } = linux as typeof config.linux;
    expect([others, rest]).toEqual([{ process: given.process }, { namespaces: [] }]);
    expect(listNames(seccomp as never).includes('chroot')).toBe(mayChroot);
  });

  test('can have no filter', () => {
    expect(applySeccomp(config, 'unconfined', machine)).toEqual({
      process: { args: ['a'] },
      linux: { namespaces: [] },
    });
  });
});
