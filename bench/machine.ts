/** Describes the machine of the measurement by the facts on which the numbers depend, without its name. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  /** Only the number: what follows it names who built the kernel. */
  readonly kernel: string;
  readonly system: string;
  /** Type of the filesystem of the stores. */
  readonly filesystem: string;
  readonly versions: Readonly<Record<string, string>>;
}

const versionCommands: Readonly<Record<string, readonly string[]>> = {
  podman: ['podman', '--version'],
  skopeo: ['skopeo', '--version'],
  ostree: ['ostree', '--version'],
  runc: ['runc', '--version'],
  crun: ['crun', '--version'],
  systemd: ['systemctl', '--version'],
};

/**
 * Measures for a second.
 *
 * @returns the share of the machine's processor time that other programs take, from 0 to 1
 */
export async function readBusyShare(): Promise<number> {
  const before = readProcessorTimes();
  await Bun.sleep(1_000);
  const after = readProcessorTimes();
  const all = after.all - before.all;
  return all === 0 ? 0 : 1 - (after.idle - before.idle) / all;
}

/** Of all processors together; time that a processor waited for a disk is idle too. */
function readProcessorTimes(): { readonly all: number; readonly idle: number } {
  const line = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '';
  // The two columns behind these eight are in the first two already.
  const times = line.split(' ').slice(0, 8).map(Number);
  const all = times.reduce((sum, time) => sum + time, 0);
  return { all, idle: (times[3] ?? 0) + (times[4] ?? 0) };
}

/** @throws Error when a program is missing */
export function readMachine(folder: string): Machine {
  const systemName = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const versions = Object.entries(versionCommands).map(([name, command]) => [name, readVersion(command)]);
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    kernel: readNumber(release()),
    system: systemName ?? 'unknown',
    filesystem: execute(['findmnt', '--noheadings', '--output', 'FSTYPE', '--target', folder]).trim(),
    versions: { ...Object.fromEntries(versions), bun: process.versions.bun ?? 'unknown' },
  };
}

function readVersion(command: readonly string[]): string {
  return readNumber(execute(command));
}

function readNumber(text: string): string {
  return /\d+(?:\.\d+)*/.exec(text)?.[0] ?? 'unknown';
}

function execute([program = '', ...args]: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8' });
  } catch (error) {
    throw new Error(`cannot run ${program}: scripts/bootstrap installs it`, { cause: error });
  }
}
