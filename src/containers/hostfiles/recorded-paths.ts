/**
 * Finds the host files of a record on this host. The original wrote through every symlink and recorded the path before it:
 * `/lib/x` for a file at `/usr/lib/x`. A host may also get such a symlink later.
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { withFileErrors } from '../../base/file-error.ts';
import { Permission } from '../../base/file-mode.ts';
import type { HostFilesRecord } from '../render/hostfiles/host-file.ts';

/** The limit of Linux (path_resolution(7)). */
const maxLinks = 40;
const writableByOthers = Permission.groupWrite | Permission.othersWrite;

export interface ResolvedRecord {
  /** With the paths on this host. */
  readonly record: HostFilesRecord;
  /** Path on this host -> path in `info`. */
  readonly written: ReadonlyMap<string, string>;
}

/**
 * Follows symlinks in the folders of the recorded paths. It follows a symlink of root in a folder that only root can
 * write, because another user could redirect the others.
 *
 * @throws file errors
 */
export async function resolveRecord(record: HostFilesRecord): Promise<ResolvedRecord> {
  if (record.paths.length === 0) return { record, written: new Map() };
  const written = new Map<string, string>();
  const find = (path: string) => {
    const found = followRootLinks(path);
    written.set(found, path);
    return found;
  };
  const rename = (map: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(map).map(([path, value]) => [followRootLinks(path), value]));
  return withFileErrors('read the folders of files on the host', async () => ({
    record: {
      ...record,
      paths: [...new Set(record.paths.map(find))],
      checksums: rename(record.checksums),
      links: rename(record.links),
      folders: [...new Set(record.folders.map(find))],
    },
    written,
  }));
}

/** @returns the path with the symlinks in its parents followed; the rest stays from the first one that is not safe */
export function followRootLinks(path: string): string {
  let at = '/';
  let links = 0;
  const parts = dirname(path).split('/').filter(Boolean);
  while (parts.length > 0) {
    const next = resolve(at, parts.shift() ?? '');
    const status = lstatSync(next, { throwIfNoEntry: false });
    if (status?.isSymbolicLink()) {
      links += 1;
      if (status.uid !== 0 || !isRootOnly(at) || links > maxLinks)
        return resolve(next, ...parts, basename(path));
      parts.unshift(...resolve(at, readlinkSync(next)).split('/').filter(Boolean));
      at = '/';
    } else {
      at = next;
      if (status === undefined || !status.isDirectory()) return resolve(at, ...parts, basename(path));
    }
  }
  return resolve(at, basename(path));
}

/** Whether only root can change a folder and the folders above it. */
function isRootOnly(folder: string): boolean {
  const { uid, mode } = lstatSync(folder);
  if (uid !== 0 || (mode & writableByOthers) !== 0) return false;
  return folder === '/' || isRootOnly(dirname(folder));
}
