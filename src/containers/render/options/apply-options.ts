/** Applies the options of a person to a parsed `config.json`. */
import { AtomicError } from '../../../base/errors.ts';
import { expectArray, expectObject } from '../../../base/json-shape.ts';
import type { JsonObject, Reject } from '../../../base/json-text.ts';
import type { ImageConfig } from '../../../image/configuration-blob.ts';
import type { ProcessUser } from '../../../image/user-lookup.ts';
import type { RuntimeMount } from '../config/runtime-config.ts';
import { adaptToUser, applyCapabilities } from './apply-capabilities.ts';
import { applyMounts, buildOptionMounts } from './apply-mounts.ts';
import { CPU_PERIOD } from './limit-options.ts';
import type { ServiceChanges } from './parse-options.ts';

/** A device node of the host. */
export interface DeviceNode {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What the options mean on this host and with this image. */
export interface OptionFacts {
  /** Whether atomic has made the configuration, because the image brings none. */
  readonly isDefault: boolean;
  /** `--user`, resolved. */
  readonly user: ProcessUser | undefined;
  /** The nodes of `devices`, in their order. */
  readonly nodes: readonly DeviceNode[];
  /** Whether the runtime denies devices without a rule; crun does not. */
  readonly deniesDevices: boolean;
  /** The capabilities of the kernel. */
  readonly capabilities: readonly string[];
}

/** The options that change what the default configuration is made of. */
export type ImageChanges = Partial<
  Pick<ServiceChanges, 'user' | 'entrypoint' | 'args' | 'volumes' | 'tmpfs'>
>;

/** What the default configuration takes its command from. */
interface CommandSource {
  readonly imageConfig: ImageConfig;
  readonly hasRunScript: boolean;
}

/** Changes what the default configuration is made of. The own configuration of an image does not use it. */
export function applyToImage(
  { imageConfig, hasRunScript }: CommandSource,
  { user, entrypoint, args }: ImageChanges,
): CommandSource {
  const image = { ...imageConfig, user: user ?? imageConfig.user };
  // Another entrypoint does not understand the arguments of the image.
  if (entrypoint !== undefined) {
    return { imageConfig: { ...image, entrypoint, cmd: args ?? [] }, hasRunScript: false };
  }
  if (args === undefined) return { imageConfig: image, hasRunScript };
  const program = hasRunScript ? ['run.sh'] : image.entrypoint;
  return { imageConfig: { ...image, entrypoint: program, cmd: args }, hasRunScript: false };
}

/**
 * @param config a configuration of the right shape
 * @throws BAD_VALUE when an option contradicts the configuration
 */
export function applyOptions(config: JsonObject, changes: ServiceChanges, facts: OptionFacts): JsonObject {
  const spec = part(config, 'process');
  const linux = part(config, 'linux');
  return {
    ...config,
    process: applyToProcess(spec, changes, facts),
    mounts: applyMounts(
      expectArray(config.mounts, 'mounts', unexpected) as readonly RuntimeMount[],
      buildOptionMounts(changes),
      facts.isDefault,
    ),
    linux: applyToLinux(linux, changes, facts),
  };
}

function applyToProcess(spec: JsonObject, changes: ServiceChanges, facts: OptionFacts): JsonObject {
  const before = readUid(spec);
  const after = facts.user?.uid ?? before;
  const changesCapabilities = changes.added.length + changes.dropped.length > 0 || after !== before;
  if (changesCapabilities && Array.isArray(spec.capabilities)) {
    throw new AtomicError(
      'BAD_VALUE',
      'process.capabilities of the image is a list, as before version 1.0 of the specification: its capabilities and its user cannot be changed',
      { hint: 'Build the image with the five sets of capabilities.' },
    );
  }
  const capabilities = changesCapabilities ? part(spec, 'capabilities') : {};
  const rlimits = applyUlimits(spec, changes);
  return {
    ...spec,
    ...(facts.user === undefined ? {} : { user: applyUser(part(spec, 'user'), facts.user) }),
    args: facts.isDefault ? spec.args : applyArgs(spec, changes),
    env: applyVariables(spec, changes),
    ...(changesCapabilities
      ? {
          capabilities: applyCapabilities(
            adaptToUser(capabilities, before, after),
            changes,
            after,
            facts.capabilities,
          ),
        }
      : {}),
    ...(rlimits.length === 0 ? {} : { rlimits }),
  };
}

function readUid(spec: JsonObject): number {
  const { uid } = part(spec, 'user');
  return typeof uid === 'number' ? uid : 0;
}

function applyUser(before: JsonObject, { uid, gid, additionalGids }: ProcessUser): JsonObject {
  const { additionalGids: _, username: __, ...others } = before;
  return { ...others, uid, gid, ...(additionalGids.length === 0 ? {} : { additionalGids }) };
}

/** The first word of a configuration of its own is the program. */
function applyArgs(spec: JsonObject, { entrypoint, args }: ServiceChanges): readonly unknown[] {
  const words = expectArray(spec.args, 'process.args', unexpected);
  if (entrypoint === undefined && args === undefined) return words;
  return [...(entrypoint ?? words.slice(0, 1)), ...(args ?? [])];
}

function applyVariables(spec: JsonObject, { variables }: ServiceChanges): readonly unknown[] {
  const entries = new Map(variables.map(({ name, value }) => [name, `${name}=${value}`]));
  const kept = expectArray(spec.env, 'process.env', unexpected).filter(
    (entry) => !entries.has(String(entry).split('=', 1)[0] ?? ''),
  );
  return [...kept, ...entries.values()];
}

function applyUlimits(spec: JsonObject, { ulimits }: ServiceChanges): readonly unknown[] {
  const limits = ulimits.map(({ name, soft, hard }) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    soft: shorten(soft),
    hard: shorten(hard),
  }));
  const types: readonly unknown[] = limits.map(({ type }) => type);
  const kept = expectArray(spec.rlimits, 'process.rlimits', unexpected).filter(
    (limit) => !types.includes(expectObject(limit, 'process.rlimits', unexpected).type),
  );
  return [...kept, ...limits];
}

function shorten(limit: bigint): bigint | number {
  return limit <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(limit) : limit;
}

function applyToLinux(linux: JsonObject, changes: ServiceChanges, facts: OptionFacts): JsonObject {
  const resources = applyResources(part(linux, 'resources'), changes, facts);
  const devices = applyDevices(linux, changes, facts);
  return {
    ...linux,
    ...(changes.network === undefined ? {} : { namespaces: applyNetwork(linux, changes.network) }),
    ...(devices.length === 0 ? {} : { devices }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
  };
}

function applyNetwork(linux: JsonObject, network: 'host' | 'none'): readonly unknown[] {
  const others = expectArray(linux.namespaces, 'linux.namespaces', unexpected).filter(
    (namespace) => expectObject(namespace, 'linux.namespaces', unexpected).type !== 'network',
  );
  return network === 'host' ? others : [...others, { type: 'network' }];
}

function applyDevices(
  linux: JsonObject,
  { devices }: ServiceChanges,
  facts: OptionFacts,
): readonly unknown[] {
  const added = facts.nodes.map(({ type, major, minor, mode, uid, gid }, index) => ({
    ...{ path: devices[index]?.path, type, major, minor, fileMode: mode, uid, gid },
  }));
  const paths: readonly unknown[] = added.map(({ path }) => path);
  const kept = expectArray(linux.devices, 'linux.devices', unexpected).filter(
    (device) => !paths.includes(expectObject(device, 'linux.devices', unexpected).path),
  );
  return [...kept, ...added];
}

function applyResources(resources: JsonObject, changes: ServiceChanges, facts: OptionFacts): JsonObject {
  const { memory, cpuQuota, pids } = changes;
  const rules = expectArray(resources.devices, 'linux.resources.devices', unexpected);
  // A rule makes crun load a filter, for which it needs more privileges than some machines give.
  const allowed =
    facts.deniesDevices || rules.length > 0
      ? facts.nodes.map(({ type, major, minor }, index) => ({
          ...{ allow: true, type, major, minor, access: changes.devices[index]?.access },
        }))
      : [];
  return {
    ...resources,
    ...(allowed.length === 0 ? {} : { devices: [...rules, ...allowed] }),
    ...(memory === undefined ? {} : { memory: applyMemory(part(resources, 'memory'), memory) }),
    ...(cpuQuota === undefined
      ? {}
      : { cpu: { ...part(resources, 'cpu'), period: CPU_PERIOD, quota: cpuQuota } }),
    ...(pids === undefined ? {} : { pids: { limit: pids } }),
  };
}

function applyMemory(before: JsonObject, limit: number): JsonObject {
  const { swap } = before;
  if (typeof swap !== 'number' || swap < 0 || swap >= limit) return { ...before, limit };
  throw new AtomicError(
    'BAD_VALUE',
    `--memory: ${limit} bytes are more than the image allows for memory and swap together: ${swap} (linux.resources.memory.swap)`,
    { hint: 'Choose a smaller limit, or change the swap with a file in /etc/atomic/NAME.d.' },
  );
}

function part(object: JsonObject, key: string): JsonObject {
  return expectObject(object[key], key, unexpected);
}

/** The caller has checked the shape of these parts. */
const unexpected: Reject = (problem) =>
  new AtomicError('CONFIG_INVALID', `Invalid configuration file.  ${problem}`, {
    hint: 'It comes from config.json or config.json.template in /exports of the image, and the --set values.',
  });
