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
  systemd: ['systemctl', '--version'],
};

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
