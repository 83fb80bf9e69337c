/** What is mounted, as the kernel says it: `/proc/PID/mountinfo` (proc(5)). */
import { readFileSync, readlinkSync } from 'node:fs';
import type { Host } from './host.ts';
import { throwIfInterrupted } from './interruption.ts';
import { unescapeMountField } from './mounts.ts';
import { listProcesses, readProcess, readProcessFile } from './processes.ts';

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
 * Reads the tables of all mount namespaces in which a process lives that we can see, our own first, one after another: a
 * table may have tens of thousands of lines, and a caller that has seen enough stops. A namespace that is only kept by a
 * file (`unshare --mount=FILE`) is not among them.
 *
 * @param text lines without it are left out
 * @throws INTERRUPTED between two tables
 */
export async function* readMountTables(host: Host, text: string): AsyncGenerator<MountNamespace> {
  const self = Number(readlinkSync('/proc/self'));
  const seen = new Set<string>();
  for (const pid of [self, ...listProcesses()]) {
    throwIfInterrupted(host);
    // A process in a chroot sees the mounts below it only.
    const key = readProcess(
      () => `${readlinkSync(`/proc/${pid}/ns/mnt`)} ${readlinkSync(`/proc/${pid}/root`)}`,
    );
    if (key === undefined || seen.has(key)) continue;
    const mountinfo = await readProcessFile(`/proc/${pid}/mountinfo`);
    if (mountinfo === undefined) continue;
    seen.add(key);
    yield { pid, mounts: parseMountTable(mountinfo, text) };
  }
}

/** @param text lines without it are left out */
export function parseMountTable(mountinfo: string, text = ''): readonly MountEntry[] {
  return mountinfo
    .split('\n')
    .filter((line) => line !== '' && line.includes(text))
    .map((line) => {
      // ID PARENT DEVICE ROOT POINT OPTIONS [TAG]... - TYPE SOURCE OPTIONS
      const fields = line.split(' ');
      const dash = fields.indexOf('-', 6);
      const read = (index: number): string => unescapeMountField(fields[index] ?? '');
      return { point: read(4), type: read(dash + 1), source: read(dash + 2) };
    });
}
