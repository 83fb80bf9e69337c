/** The mount tables of processes: `/proc/PID/mountinfo` (proc(5)). */
import { closeSync, constants, existsSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { isErrno } from '../../base/file-error.ts';
import type { Host } from '../host.ts';
import { throwIfInterrupted } from '../interruption.ts';
import { listProcesses, readProcess, readProcessFile } from './processes.ts';

const HIDDEN = 'hidden';

export interface MountEntry {
  readonly point: string;
  /** Type of the filesystem: `overlay`. */
  readonly type: string;
  readonly source: string;
}

/**
 * Reads the mounts that this process sees, in the order of the kernel: the later of two at one point covers the other.
 */
export function readOwnMounts(): readonly MountEntry[] {
  return parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** A mount namespace; `pid` is one of its processes. */
interface MountNamespace {
  readonly pid: number;
  readonly mounts: readonly MountEntry[];
}

/**
 * Reads the tables of the mount namespaces of all visible processes, our own first, one at a time: a table may have tens
 * of thousands of lines, and the caller may stop early. A namespace without a process, which only a file keeps
 * (`unshare --mount=FILE`), is not found.
 *
 * @param text lines without this text are left out
 * @throws INTERRUPTED between two tables; MOUNT_IN_USE after the last one when other tables cannot be read
 */
export async function* readMountTables(host: Host, text: string): AsyncGenerator<MountNamespace> {
  const self = Number(readlinkSync('/proc/self'));
  const seen = new Set<string>();
  let isHidden = !existsSync('/proc/1');
  for (const pid of [self, ...listProcesses()]) {
    throwIfInterrupted(host);
    const namespace = readProcess(() => readNamespace(pid));
    if (namespace === undefined || seen.has(namespace)) continue;
    const mountinfo = await readProcessFile(`/proc/${pid}/mountinfo`, HIDDEN);
    isHidden ||= mountinfo === HIDDEN;
    // A process with more capabilities than ours hides its namespace, but not its mount table.
    const key = namespace === HIDDEN ? mountinfo : namespace;
    if (mountinfo === undefined || mountinfo === HIDDEN || key === undefined || seen.has(key)) continue;
    seen.add(key);
    yield { pid, mounts: parseMountTable(mountinfo, text) };
  }
  if (isHidden) throw buildHiddenProcesses();
}

/** @returns `HIDDEN` for a process that this one may not read */
function readNamespace(pid: number): string {
  try {
    // A process in a chroot sees only the mounts below its root.
    return `${readlinkSync(`/proc/${pid}/ns/mnt`)} ${readlinkSync(`/proc/${pid}/root`)}`;
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return HIDDEN;
    throw error;
  }
}

function buildHiddenProcesses(): AtomicError {
  return new AtomicError(
    'MOUNT_IN_USE',
    'looking for mounts of atomic: /proc hides processes, which may still see such a mount',
    {
      hint: 'Run the command where root sees all processes: with CAP_SYS_PTRACE, and without ProtectProc= or hidepid=.',
    },
  );
}

/** Parses the lines of a mount table. @param text lines without this text are left out */
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

/** Lists the mount points at or below a folder in the view of this process. @param path absolute, without symlinks */
export async function listMountsBelow(path: string): Promise<readonly string[]> {
  return parseMountPoints(await readFile('/proc/self/mountinfo', 'utf8')).filter(
    (point) => point === path || point.startsWith(`${path}/`),
  );
}

/** Parses the mount points of `/proc/PID/mountinfo`: the fifth field, with octal escapes (proc(5)). */
export function parseMountPoints(mountinfo: string): readonly string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((field) => field !== undefined)
    .map(unescapeMountField);
}

/** Blanks, newlines and `\` in the fields of a mount table are written as `\` and three octal digits. */
function unescapeMountField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Reads the id of the mount of a folder. Hard links and renames between two mounts are not possible. */
export function readMountId(folder: string): number {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const [, id] = /^mnt_id:\s*([0-9]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    if (id === undefined) throw new Error('the kernel does not report the mount of a file');
    return Number(id);
  } finally {
    closeSync(fd);
  }
}
