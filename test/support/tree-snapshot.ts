/** Snapshots of a folder tree and their differences: the proof that an operation leaves no files. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';

export interface SnapshotOptions {
  /** Absolute paths that are left out, with everything below them. */
  readonly exclude?: readonly string[];
  /**
   * `hash` reads every file. `time` takes size and modification time for its content: fast enough for a whole host,
   * blind for a file written back with the old time. Default `hash`.
   */
  readonly content?: 'hash' | 'time';
  /** Whether extended attributes are part of it (needs the program getfattr). Default true. */
  readonly xattrs?: boolean;
}

/** Absolute path to a description in one line: type, mode, owner, then what the type has. */
export type TreeSnapshot = ReadonlyMap<string, string>;

/** Sockets and times of directories are not part of a snapshot. The folder itself is. */
export function takeSnapshot(folder: string, options: SnapshotOptions = {}): TreeSnapshot {
  const snapshot = new Map<string, string>();
  visit(folder, new Set(options.exclude ?? []), options.content ?? 'hash', snapshot);
  if (options.xattrs ?? true) {
    for (const [path, attributes] of readAttributes(folder)) {
      const description = snapshot.get(path);
      if (description !== undefined) snapshot.set(path, `${description} ${attributes}`);
    }
  }
  return snapshot;
}

/** Readable lines: `+ PATH DESCRIPTION` new, `- PATH DESCRIPTION` gone, `~ PATH: BEFORE -> AFTER` changed; sorted. */
export function diffSnapshots(before: TreeSnapshot, after: TreeSnapshot): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === now) return [];
    if (old === undefined) return [`+ ${path} ${now}`];
    if (now === undefined) return [`- ${path} ${old}`];
    return [`~ ${path}: ${old} -> ${now}`];
  });
}

function visit(
  path: string,
  exclude: ReadonlySet<string>,
  content: 'hash' | 'time',
  snapshot: Map<string, string>,
): void {
  if (exclude.has(path)) return;
  try {
    const stats = lstatSync(path);
    if (stats.isSocket()) return;
    snapshot.set(path, describe(path, stats, content));
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(path)) visit(join(path, name), exclude, content, snapshot);
  } catch (error) {
    // Files of a running host may disappear during the snapshot; they are left out.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    snapshot.delete(path);
  }
}

function describe(path: string, stats: Stats, content: 'hash' | 'time'): string {
  const common = `${(stats.mode & 0o7777).toString(8).padStart(4, '0')} ${stats.uid}:${stats.gid}`;
  if (stats.isDirectory()) return `directory ${common}`;
  if (stats.isFile()) {
    const state = content === 'hash' ? hashFile(path) : `mtime ${stats.mtimeMs}`;
    return `file ${common} ${stats.size} ${state}`;
  }
  if (stats.isSymbolicLink()) return `symlink ${stats.uid}:${stats.gid} -> ${readlinkSync(path)}`;
  if (stats.isFIFO()) return `fifo ${common}`;
  return `${stats.isCharacterDevice() ? 'char' : 'block'} ${common} ${stats.rdev}`;
}

function hashFile(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** `NAME=VALUE...` by path, of the paths that have attributes. */
function readAttributes(folder: string): Map<string, string> {
  const options = ['-R', '-h', '-P', '-d', '-m', '-', '-e', 'hex', '--absolute-names', folder];
  // Its status is not 0 when a file disappears meanwhile; what it printed about the others holds.
  const { stdout, error } = spawnSync('getfattr', options, { maxBuffer: MAX_OUTPUT_BYTES, encoding: 'utf8' });
  if (error !== undefined) throw error;
  const attributes = new Map<string, string>();
  for (const block of stdout.split('\n\n')) {
    const [head = '', ...lines] = block.split('\n');
    if (head.startsWith('# file: ')) attributes.set(unquote(head.slice(8)), lines.sort().join(' '));
  }
  return attributes;
}

/** getfattr writes newlines, `\` and bytes that are not printable as three octal digits. */
function unquote(name: string): string {
  if (!name.includes('\\')) return name;
  const bytes = Buffer.from(name)
    .toString('latin1')
    .replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return Buffer.from(bytes, 'latin1').toString();
}
