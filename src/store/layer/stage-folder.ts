/** The folders of the staging folder and of the repository in which an object may be; see `object-stage.ts`. */

import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { isErrno } from '../../base/file-error.ts';
import { FolderMode } from '../../base/file-mode.ts';
import type { Checksum } from '../../image/checksum.ts';
import { formatObjectPath } from '../../ostree/object-files.ts';

export class StageFolder {
  readonly repository: string;
  readonly path: string;
  readonly #subfolders = new Set<string>();

  /** @param path staging folder of the open transaction */
  constructor(repository: string, path: string) {
    this.repository = repository;
    this.path = path;
  }

  isNew(checksum: Checksum, extension: string): boolean {
    if (exists(formatObjectPath(this.repository, checksum, extension))) return false;
    return !this.has(checksum, extension);
  }

  has(checksum: Checksum, extension: string): boolean {
    return exists(this.format(checksum, extension));
  }

  /** Gives a complete object its name. */
  moveIn(path: string, checksum: Checksum, extension: string): void {
    this.#makeSubfolder(checksum.slice(0, 2));
    renameSync(path, this.format(checksum, extension));
  }

  format(checksum: Checksum, extension: string): string {
    return `${this.path}/${checksum.slice(0, 2)}/${checksum.slice(2)}.${extension}`;
  }

  /** Another thread, or the killed process whose folder this was, may have made it. */
  #makeSubfolder(name: string): void {
    if (this.#subfolders.has(name)) return;
    try {
      mkdirSync(`${this.path}/${name}`, { mode: FolderMode.public });
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    this.#subfolders.add(name);
  }
}

/** `existsSync` would follow symlinks, and a dangling symlink is an object too. */
function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
