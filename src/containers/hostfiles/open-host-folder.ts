/**
 * Opens folders of the host one after the other without following a symlink, so that the owner of a folder cannot
 * redirect a write or a removal. Calls then use `/proc/self/fd/N/NAME`.
 */
import { chmodSync, chownSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { isErrno } from '../../base/file-error.ts';
import { FolderMode } from '../../base/file-mode.ts';
import { toPrintable } from '../../base/printable.ts';
import { listParents } from '../render/hostfiles/host-file.ts';

const openFolder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** The owner and mode of a missing folder. */
export interface FolderOwnership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Runs an action with a path of the host, and holds the folder of that path open.
 *
 * @param path absolute
 * @returns undefined, without the action, when the folder does not exist or a symlink is on the way
 */
export function withHostFolder<T>(path: string, action: (held: string) => T): T | undefined {
  const folder = openParents(path, () => false);
  return folder === undefined ? undefined : useFolder(folder, path, action);
}

/**
 * As `withHostFolder`; creates missing folders.
 *
 * @throws FILE_CONFLICT when a symlink or a file is on the way; file errors
 */
export function withMadeHostFolder<T>(
  path: string,
  describeFolder: (folder: string) => FolderOwnership,
  action: (held: string) => T,
): T {
  const folder = openParents(path, (held, shown) => {
    makeFolder(held, describeFolder(shown));
    return true;
  });
  if (folder === undefined) throw buildBlocked(path);
  return useFolder(folder, path, action);
}

/** Creates one folder with exactly these permissions, with any umask. */
export function makeFolder(path: string, { mode, uid, gid }: FolderOwnership): void {
  mkdirSync(path, FolderMode.private);
  chownSync(path, uid, gid);
  chmodSync(path, mode);
}

function useFolder<T>(folder: number, path: string, action: (held: string) => T): T {
  try {
    return action(`/proc/self/fd/${folder}/${basename(path)}`);
  } finally {
    closeSync(folder);
  }
}

/** @param make creates a missing folder and returns true, or returns false */
function openParents(path: string, make: (held: string, shown: string) => boolean): number | undefined {
  let at = openSync('/', openFolder);
  for (const shown of listParents(path)) {
    const held = `/proc/self/fd/${at}/${basename(shown)}`;
    let next: number | undefined;
    try {
      next = openNext(held, () => make(held, shown));
    } finally {
      closeSync(at);
    }
    if (next === undefined) return undefined;
    at = next;
  }
  return at;
}

function openNext(held: string, make: () => boolean): number | undefined {
  try {
    return openSync(held, openFolder);
  } catch (error) {
    if (isErrno(error, 'ELOOP', 'ENOTDIR')) return undefined;
    if (!isErrno(error, 'ENOENT')) throw error;
    return make() ? openSync(held, openFolder) : undefined;
  }
}

function buildBlocked(path: string): AtomicError {
  return new AtomicError(
    'FILE_CONFLICT',
    `Cannot put ${toPrintable(path)} on the host: something that is not a folder is in place of ${toPrintable(dirname(path))}`,
    {
      hint: `Look at it with \`namei -l ${toPrintable(dirname(path))}\`, and make it a folder.`,
      details: { path: toPrintable(path) },
    },
  );
}
