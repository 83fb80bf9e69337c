/**
 * Compares two looks at a host without what other programs change meanwhile on the machine, whose files the host shows.
 *
 * scripts/host shows the changes of the host alone, which the overlay filesystem keeps apart, in these folders:
 *
 * ```
 * /run/atomic-host/root       changes of /
 * /run/atomic-host/usr, var   of /usr and /var, where they are filesystems of their own
 *   PATH                      a file that the host has written, or a folder with one
 *   PATH                      a character device 0:0: the host has removed the file
 * ```
 */
import { globSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findXattr } from '../../../src/native/xattr.ts';
import { diffSnapshots, type TreeSnapshot, takeSnapshot } from '../../support/tree-snapshot.ts';

const changesFolder = '/run/atomic-host';
/** An attribute of a folder that the host has removed and made again. */
const opaque = Buffer.from('trusted.overlay.opaque');

export interface HostLook {
  readonly files: TreeSnapshot;
  readonly changes: OwnChanges;
}

interface OwnChanges {
  /** Paths that the host has written or removed, and the folders above them. */
  readonly paths: ReadonlySet<string>;
  /** Paths that hide everything that the machine has below them. */
  readonly hiding: ReadonlySet<string>;
}

/** @param exclude absolute paths that are left out, with everything below them */
export function lookAtHost(folders: readonly string[], exclude: readonly string[]): HostLook {
  const options = { exclude: [changesFolder, ...exclude], content: 'time', xattrs: false } as const;
  const files = new Map(folders.flatMap((folder) => [...takeSnapshot(folder, options)]));
  return { files, changes: readOwnChanges() };
}

/** @returns lines as of `diffSnapshots` */
export function diffLooks(before: HostLook, after: HostLook): string[] {
  const overlays = listOverlays().map(({ place }) => place);
  const mountPoints = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  const isOwn = (path: string): boolean => {
    const mountPoint = findAbove(path, (folder) => mountPoints.includes(folder));
    if (!overlays.includes(mountPoint ?? '/')) return true;
    return [before, after].some(
      ({ changes }) =>
        changes.paths.has(path) || findAbove(path, (folder) => changes.hiding.has(folder)) !== undefined,
    );
  };
  const select = (files: TreeSnapshot, others: TreeSnapshot): TreeSnapshot =>
    new Map([...files].filter(([path, description]) => others.get(path) !== description && isOwn(path)));
  return diffSnapshots(select(before.files, after.files), select(after.files, before.files));
}

/** @returns the path, or the nearest folder above it, for which `matches` holds */
function findAbove(path: string, matches: (path: string) => boolean): string | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    if (matches(folder)) return folder;
    if (folder === '/') return undefined;
  }
}

interface Overlay {
  readonly place: string;
  readonly changes: string;
}

function listOverlays(): Overlay[] {
  const overlays = globSync('*', { cwd: changesFolder }).map((name) => ({
    place: name === 'root' ? '/' : `/${name}`,
    changes: join(changesFolder, name),
  }));
  if (overlays.length === 0) throw new Error(`no ${changesFolder}: this is not a host of scripts/host`);
  return overlays;
}

function readOwnChanges(): OwnChanges {
  const paths = new Set<string>();
  const hiding = new Set<string>();
  const visit = (change: string, path: string): void => {
    const stats = lstatSync(change, { throwIfNoEntry: false });
    if (stats === undefined) return;
    paths.add(path);
    if (!stats.isDirectory()) {
      hiding.add(path);
      return;
    }
    if (findXattr(change, opaque) !== undefined) hiding.add(path);
    for (const name of readdirSync(change)) visit(join(change, name), join(path, name));
  };
  for (const { place, changes } of listOverlays()) visit(changes, place);
  return { paths, hiding };
}
