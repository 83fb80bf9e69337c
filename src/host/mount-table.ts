/** What is mounted, as the kernel says it: `/proc/PID/mountinfo` (proc(5)). */
import { readFileSync, readlinkSync } from 'node:fs';
import { unescapeMountField } from './mounts.ts';
import { listProcesses, readProcess } from './processes.ts';

export interface MountEntry {
  readonly point: string;
  /** Type of the filesystem: `overlay`. */
  readonly type: string;
  readonly source: string;
}

/** In the order of the kernel: of two at one point, the later lies over the earlier. */
export function readOwnMounts(): readonly MountEntry[] {
  return parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** A mount namespace that is not ours, or ours; `pid` is one process that lives in it. */
export interface MountNamespace {
  readonly pid: number;
  readonly mounts: readonly MountEntry[];
}

/**
 * Reads the tables of all mount namespaces in which a process lives that we can see. A namespace that is only kept by a
 * file (`unshare --mount=FILE`) is not among them.
 */
export function listMountNamespaces(): readonly MountNamespace[] {
  const namespaces = new Map<string, MountNamespace>();
  for (const pid of listProcesses()) {
    const found = readProcess(() => {
      // A process in a chroot sees the mounts below it only.
      const key = `${readlinkSync(`/proc/${pid}/ns/mnt`)} ${readlinkSync(`/proc/${pid}/root`)}`;
      if (namespaces.has(key)) return undefined;
      return { key, mounts: parseMountTable(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')) };
    });
    if (found !== undefined) namespaces.set(found.key, { pid, mounts: found.mounts });
  }
  return [...namespaces.values()];
}

export function parseMountTable(mountinfo: string): readonly MountEntry[] {
  return mountinfo
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      // ID PARENT DEVICE ROOT POINT OPTIONS [TAG]... - TYPE SOURCE OPTIONS
      const fields = line.split(' ');
      const dash = fields.indexOf('-', 6);
      const read = (index: number): string => unescapeMountField(fields[index] ?? '');
      return { point: read(4), type: read(dash + 1), source: read(dash + 2) };
    });
}
