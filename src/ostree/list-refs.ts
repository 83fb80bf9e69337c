/** Lists all refs of the repository. On a host that is an OSTree system these include the host's own. */

import { readdirSync } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import { tolerateMissing } from '../base/file-error.ts';
import type { Checksum } from '../image/checksum.ts';
import { findRefAt } from './object-files.ts';

export interface StoreRef {
  /** Path below `refs/`: `heads/ociimage/...`, `heads/ostree/0/1/0`, `remotes/fedora/...`. */
  readonly path: string;
  /** Checksum of the commit. */
  readonly commit: Checksum;
}

/** A ref whose file does not hold a checksum, as after a power cut on some filesystems. */
interface DamagedRef {
  readonly path: string;
  /** The error STORE_CORRUPT. */
  readonly damage: AtomicError;
}

/** Lists every ref, in no order. An alias (a symlink) counts as a ref. */
export function listAllRefs(repository: string): {
  readonly refs: readonly StoreRef[];
  readonly damaged: readonly DamagedRef[];
} {
  const refs: StoreRef[] = [];
  const damaged: DamagedRef[] = [];
  for (const path of listFiles(`${repository}/refs`, '')) {
    try {
      const commit = findRefAt(repository, path);
      if (commit !== undefined) refs.push({ path, commit });
    } catch (error) {
      if (!(error instanceof AtomicError) || error.code !== 'STORE_CORRUPT') throw error;
      damaged.push({ path, damage: error });
    }
  }
  return { refs, damaged };
}

function listFiles(root: string, folder: string): string[] {
  return readFolder(`${root}/${folder}`).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? listFiles(root, path) : [path];
  });
}

function readFolder(path: string) {
  return tolerateMissing(() => readdirSync(path, { withFileTypes: true })) ?? [];
}
