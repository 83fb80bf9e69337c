/**
 * Seccomp profiles as podman and docker have them: the filter of the runtime specification, with rules that depend on the
 * processor, the kernel and the capabilities of the service.
 */
import { expectArray, expectObject, expectString, expectStrings } from '../../../base/json-shape.ts';
import type { JsonObject, Reject } from '../../../base/json-text.ts';

/** The machine on which the filter is loaded. */
export interface FilterMachine {
  /** In the words of images: `amd64`. */
  readonly architecture: string;
  /** `6.1.0-18-amd64`. */
  readonly kernel: string;
}

interface Conditions {
  readonly caps: readonly string[];
  readonly arches: readonly string[];
  readonly minKernel: string;
}

interface ProfileRule {
  /** Without the keys that the runtimes do not know. */
  readonly rule: JsonObject;
  readonly includes: Conditions;
  readonly excludes: Conditions;
}

export interface SeccompProfile {
  /** What does not depend on the machine. */
  readonly filter: JsonObject;
  readonly architectures: readonly string[];
  /** An architecture of libseccomp, and all that the kernel runs on such a processor. */
  readonly families: ReadonlyMap<string, readonly string[]>;
  readonly rules: readonly ProfileRule[];
}

/** The names of libseccomp for the processors on which this program runs. */
const libseccompNames: Readonly<Record<string, string>> = {
  amd64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
};

/** @param reject builds the error for a wrong shape */
export function parseSeccompProfile(document: JsonObject, reject: Reject): SeccompProfile {
  const { defaultAction, defaultErrnoRet, flags } = document;
  if (expectString(defaultAction, 'defaultAction', reject) === '') throw reject('it has no defaultAction');
  const families = expectArray(document.archMap, 'archMap', reject).map((item, index) => {
    const where = `archMap[${index}]`;
    const family = expectObject(item, where, reject);
    const architecture = expectString(family.architecture, `${where}.architecture`, reject);
    const others = expectStrings(family.subArchitectures, `${where}.subArchitectures`, reject);
    return [architecture, [architecture, ...others]] as const;
  });
  return {
    filter: keepPresent({ defaultAction, defaultErrnoRet, flags }),
    architectures: expectStrings(document.architectures, 'architectures', reject),
    families: new Map(families),
    rules: expectArray(document.syscalls, 'syscalls', reject).map((item, index) =>
      parseRule(item, `syscalls[${index}]`, reject),
    ),
  };
}

function parseRule(item: unknown, where: string, reject: Reject): ProfileRule {
  const source = expectObject(item, where, reject);
  const { action, errnoRet, args } = source;
  // Old profiles of docker have a rule for each call.
  const name = expectString(source.name, `${where}.name`, reject);
  const names = [...(name === '' ? [] : [name]), ...expectStrings(source.names, `${where}.names`, reject)];
  if (names.length === 0) throw reject(`${where} names no system call`);
  const isNamed = expectString(source.errno, `${where}.errno`, reject) !== '';
  if (isNamed && errnoRet === undefined) throw reject(`${where} has errno without errnoRet`);
  const conditions = (key: 'includes' | 'excludes'): Conditions => {
    const at = `${where}.${key}`;
    const { caps, arches, minKernel } = expectObject(source[key], at, reject);
    return {
      caps: expectStrings(caps, `${at}.caps`, reject),
      arches: expectStrings(arches, `${at}.arches`, reject),
      minKernel: expectString(minKernel, `${at}.minKernel`, reject),
    };
  };
  return {
    rule: keepPresent({ names, action, errnoRet, args }),
    includes: conditions('includes'),
    excludes: conditions('excludes'),
  };
}

/**
 * Builds `linux.seccomp`: the rules of a profile that apply on a machine.
 *
 * @param capabilities all that the processes of the container can get
 */
export function buildSeccompFilter(
  profile: SeccompProfile,
  { architecture, kernel }: FilterMachine,
  capabilities: readonly string[],
): JsonObject {
  const family = profile.families.get(libseccompNames[architecture] ?? '') ?? [];
  const architectures = profile.architectures.length > 0 ? profile.architectures : family;
  const applies = ({ includes, excludes }: ProfileRule): boolean =>
    includes.caps.every((name) => capabilities.includes(name)) &&
    (includes.arches.length === 0 || includes.arches.includes(architecture)) &&
    (includes.minKernel === '' || isAtLeast(kernel, includes.minKernel)) &&
    !excludes.caps.some((name) => capabilities.includes(name)) &&
    !excludes.arches.includes(architecture) &&
    !(excludes.minKernel !== '' && isAtLeast(kernel, excludes.minKernel));
  return {
    ...profile.filter,
    ...(architectures.length === 0 ? {} : { architectures }),
    syscalls: profile.rules.filter(applies).map(({ rule }) => rule),
  };
}

/** Compares the first two numbers of versions, as docker does. */
function isAtLeast(kernel: string, least: string): boolean {
  const [major = 0, minor = 0] = readVersion(kernel);
  const [leastMajor = 0, leastMinor = 0] = readVersion(least);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function readVersion(text: string): readonly number[] {
  return (/^\d+(?:\.\d+)?/.exec(text)?.[0] ?? '').split('.').map(Number);
}

function keepPresent(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined && value !== null),
  );
}
