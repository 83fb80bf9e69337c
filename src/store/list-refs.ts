/** All refs of the repository: ours, and on a host that is itself an OSTree system also those of the host. */
import { readdirSync } from 'node:fs';
import { isErrno } from '../host/file-error.ts';
import { findRefAt } from './object-files.ts';

export interface StoreRef {
  /** Below `refs/`: `heads/ociimage/...`, `heads/ostree/0/1/0`, `remotes/fedora/...`. */
  readonly path: string;
  /** Checksum of the commit. */
  readonly commit: string;
}

/**
 * Lists every ref that names something, in no order. An alias (a symlink) is a ref like any other.
 *
 * @throws AtomicError STORE_CORRUPT when one holds something else than a checksum
 */
export function listAllRefs(repository: string): readonly StoreRef[] {
  return listFiles(`${repository}/refs`, '').flatMap((path) => {
    const commit = findRefAt(repository, path);
    return commit === undefined ? [] : [{ path, commit }];
  });
}

function listFiles(root: string, folder: string): string[] {
  return readFolder(`${root}/${folder}`).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? listFiles(root, path) : [path];
  });
}

function readFolder(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
