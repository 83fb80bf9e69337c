/** Parses all options of a container, and checks that they go together. */
import { AtomicError } from '../../../base/errors.ts';
import { ALL, parseCapability } from './capability-options.ts';
import { type Device, parseDevice } from './device-option.ts';
import { parseVariable, type Variable } from './environment-options.ts';
import { parseCpus, parseMemory, parseNetwork, parsePids, parseStopTimeout } from './limit-options.ts';
import { parseTmpfs, parseVolume, type Tmpfs, type Volume } from './mount-options.ts';
import { parseEntrypoint, parseServiceArguments, parseUser } from './process-options.ts';
import { parseSecurityOption, type SeccompChoice } from './security-option.ts';
import { formatOption, type OptionName, type ServiceOptions } from './service-options.ts';
import { parseUlimit, type Ulimit } from './ulimit-option.ts';

/** The changes that the options make to `config.json`, and the one that they make to the unit. */
export interface ServiceChanges {
  readonly volumes: readonly Volume[];
  readonly tmpfs: readonly Tmpfs[];
  readonly devices: readonly Device[];
  readonly variables: readonly Variable[];
  readonly user: string | undefined;
  readonly added: readonly string[];
  readonly dropped: readonly string[];
  readonly seccomp: SeccompChoice | undefined;
  readonly ulimits: readonly Ulimit[];
  /** Bytes. */
  readonly memory: number | undefined;
  /** Microseconds in each period. */
  readonly cpuQuota: number | undefined;
  readonly pids: number | undefined;
  /** Seconds. */
  readonly stopTimeout: number | undefined;
  readonly network: 'host' | 'none' | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
}

/** @throws BAD_VALUE */
export function parseOptions(options: ServiceOptions): ServiceChanges {
  const list = <T>(name: OptionName, parse: (value: string) => T): readonly T[] =>
    (options[name] ?? []).map(parse);
  const one = <T>(name: OptionName, parse: (value: string) => T): T | undefined => {
    const value = options[name]?.at(-1);
    return value === undefined ? undefined : parse(value);
  };
  requireApart(options);
  const added = list('cap-add', (value) => parseCapability('cap-add', value));
  const dropped = list('cap-drop', (value) => parseCapability('cap-drop', value));
  requireNotBoth(added, dropped);
  return {
    volumes: list('volume', parseVolume),
    tmpfs: list('tmpfs', parseTmpfs),
    devices: list('device', parseDevice),
    variables: list('env', parseVariable),
    ...{ user: one('user', parseUser), added, dropped, ulimits: list('ulimit', parseUlimit) },
    seccomp: one('security-opt', parseSecurityOption),
    memory: one('memory', parseMemory),
    cpuQuota: one('cpus', parseCpus),
    pids: one('pids-limit', parsePids),
    stopTimeout: one('stop-timeout', parseStopTimeout),
    network: one('network', parseNetwork),
    entrypoint: one('entrypoint', parseEntrypoint),
    args: options.args === undefined ? undefined : parseServiceArguments(options.args),
  };
}

function requireNotBoth(added: readonly string[], dropped: readonly string[]): void {
  const both = added.find((name) => dropped.includes(name));
  if (both === undefined) return;
  const hint = both === ALL ? 'Use one of them.' : `Leave one out, or take it away with --reset.`;
  throw new AtomicError('BAD_VALUE', `--cap-add and --cap-drop both name ${both}`, { hint });
}

/**
 * A mount below another one would need a folder in its source: the runtime would create it on the host, or fail when the
 * source is read-only.
 */
function requireApart(options: ServiceOptions): void {
  const mounts = [
    ...(options.volume ?? []).map((value) => ({
      option: formatOption('volume', value),
      at: parseVolume(value).destination,
    })),
    ...(options.tmpfs ?? []).map((value) => ({
      option: formatOption('tmpfs', value),
      at: parseTmpfs(value).destination,
    })),
    ...(options.device ?? []).map((value) => ({
      option: formatOption('device', value),
      at: parseDevice(value).path,
    })),
  ];
  for (const [index, { option, at }] of mounts.entries()) {
    const other = mounts.find(
      (mount, place) => place !== index && (mount.at === at || at.startsWith(`${mount.at}/`)),
    );
    if (other === undefined) continue;
    throw new AtomicError('BAD_VALUE', `${option} and ${other.option} overlap in the container`, {
      hint: 'Choose destinations of which none is inside another.',
    });
  }
}
