/**
 * Writes objects into the staging folder of the open transaction, as libostree does. When the transaction is committed,
 * libostree syncs the filesystem once and renames them into `objects/`; see `object-files.ts` for the layout.
 *
 * ```
 * REPO/tmp/staging-BOOT-XXXXXX/     see `findStagingFolder`
 *   ab/cdef....file|dirtree|...     complete objects; commits are elsewhere, see waiting-files.ts
 *   atomic-object                   the object that this thread writes
 *   atomic-object-N                 objects that the pool writes, see pending-files.ts
 *   atomic-object-attributes        see kept-attributes.ts
 * ```
 *
 * libostree's own import would be one call, but its checksums in plain C take twice the time of the rest of a pull. After a
 * crash libostree gives the folder to the next transaction of the same boot, or removes it.
 */

import {
  closeSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { tolerateMissing } from '../../base/file-error.ts';
import type { Locations } from '../../base/locations.ts';
import { unlinkIfThere } from '../../host/files/unlink-file.ts';
import { type Checksum, computeChecksum } from '../../image/checksum.ts';
import type { DirectoryObjects } from '../../ostree/layer-tree.ts';
import { formatObjectPath } from '../../ostree/object-files.ts';
import { type DirMeta, type DirTree, formatFileHeader, parseDirTree } from '../../ostree/ostree-objects.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { readVerifiedObject } from '../../ostree/verified-object.ts';
import { applyBareMeta, applyBareSymlinkMeta, applyBareUserMeta } from './apply-meta.ts';
import { FileWriter } from './file-writer.ts';
import { KeptAttributes } from './kept-attributes.ts';
import { PendingFiles } from './pending-files.ts';
import { UnnamedFile } from './unnamed-file.ts';

const BUFFERED = 'atomic-object';
const METADATA_MODE = 0o644;

export class ObjectStage implements DirectoryObjects {
  readonly #repository: string;
  readonly #isBareUser: boolean;
  readonly #folder: string;
  readonly #temporary: string;
  readonly #subfolders = new Set<string>();
  readonly #pending = new PendingFiles();
  #started = 0;
  #room: number;

  /**
   * @param locations locations of a repository with an open transaction, the only one of this process
   * @param room number of content bytes that may be written
   * @throws Error when there is no transaction
   */
  constructor(
    { repository, repositoryMode }: Pick<Locations, 'repository' | 'repositoryMode'>,
    room: number,
  ) {
    this.#room = room;
    this.#repository = repository;
    this.#isBareUser = repositoryMode === 'bare-user';
    this.#folder = findStagingFolder(repository);
    this.#temporary = `${this.#folder}/${BUFFERED}`;
    for (const name of readdirSync(this.#folder)) {
      if (name.startsWith(BUFFERED)) rmSync(`${this.#folder}/${name}`, { recursive: true });
      else this.#subfolders.add(name);
    }
  }

  /**
   * Waits until at most `bytes` of content are still being written. Files may be read or committed only after `settle(0)`.
   *
   * @throws the first error of writing them
   */
  async settle(bytes: number): Promise<void> {
    await this.#pending.settle(bytes);
  }

  /** Waits for the files that are being written, and ignores their errors. Files that failed are removed. */
  async end(): Promise<void> {
    await this.#pending.end();
  }

  /**
   * Begins a regular file. Only one file may be open at a time.
   *
   * @param meta owner, mode with the file type, and xattrs of the file
   */
  beginFile(meta: DirMeta): FileWriter {
    return new FileWriter(meta, {
      open: () => openSync(this.#temporary, 'wx', 0o600),
      write: (fd, bytes) => this.#write(fd, bytes),
      finish: (checksum, fd, content) => this.#finishFile(checksum, meta, fd, content),
      abandon: (fd) => this.#abandon(fd),
    });
  }

  /** Writes a symlink. @returns its checksum */
  writeSymlink(meta: DirMeta, target: string): Checksum {
    const checksum = computeChecksum(formatFileHeader(meta, target));
    if (this.#isBareUser) this.#writeUserSymlink(checksum, meta, target);
    else if (this.#isNew(checksum, 'file')) {
      symlinkSync(target, this.#temporary);
      applyBareSymlinkMeta(this.#temporary, meta);
      this.#moveIn(this.#temporary, checksum, 'file');
    }
    return checksum;
  }

  /** In `bare-user` the object of a symlink is a file that contains the target and a NUL. */
  #writeUserSymlink(checksum: Checksum, meta: DirMeta, target: string): void {
    this.#finishFile(checksum, meta, undefined, [Buffer.from(`${target}\0`, 'utf8')]);
  }

  /** Creates a file for data that becomes part of a commit, see `TarSplitRecorder`. */
  createRecord(): UnnamedFile {
    return new UnnamedFile(this.#temporary, (fd, data) => this.#write(fd, data));
  }

  /** Creates the trial of attributes for files in this stage. */
  createAttributes(): KeptAttributes {
    return new KeptAttributes(`${this.#temporary}-attributes`, this.#isBareUser ? 'bare-user' : 'bare');
  }

  write(kind: 'dirtree' | 'dirmeta', checksum: Checksum, data: Buffer): void {
    if (this.#hasSoundMetadata(checksum, kind)) return;
    const fd = openSync(this.#temporary, 'wx', 0o600);
    try {
      this.#write(fd, data);
      fchmodSync(fd, METADATA_MODE);
    } finally {
      closeSync(fd);
    }
    this.#moveIn(this.#temporary, checksum, kind);
  }

  /**
   * Reads a directory that this stage has written or found in the repository.
   *
   * @throws AtomicError STORE_CORRUPT when it was damaged after that
   */
  readDirTree(checksum: Checksum): DirTree {
    const staged = this.#path(checksum, 'dirtree');
    const path = existsInFolder(staged) ? staged : formatObjectPath(this.#repository, checksum, 'dirtree');
    return parseDirTree(readVerifiedObject(path, checksum, 'dirtree'));
  }

  /** @param fd the temporary file, when it has a part of the content */
  #finishFile(checksum: Checksum, meta: DirMeta, fd: number | undefined, content: readonly Buffer[]): void {
    if (!this.#isNew(checksum, 'file')) {
      if (fd !== undefined) this.#abandon(fd);
      return;
    }
    if (fd === undefined) {
      this.#writeBehind(checksum, meta, content);
      return;
    }
    try {
      for (const part of content) this.#write(fd, part);
    } finally {
      closeSync(fd);
    }
    this.#moveFileIn(this.#temporary, checksum, meta);
  }

  /** The same content may be written twice at the same time; the second file then replaces the first. */
  #writeBehind(checksum: Checksum, meta: DirMeta, content: readonly Buffer[]): void {
    const [only] = content;
    const data = only !== undefined && content.length === 1 ? only : Buffer.concat(content);
    this.#takeRoom(data.length);
    const path = `${this.#temporary}-${this.#started}`;
    this.#started += 1;
    this.#pending.add(data.length, async () => {
      try {
        // The flag for appending saves a system call: without it the runtime truncates the file after the write.
        await writeFile(path, data, { flag: 'ax', mode: 0o600 });
        this.#moveFileIn(path, checksum, meta);
      } catch (error) {
        unlinkIfThere(path);
        throw error;
      }
    });
  }

  #moveFileIn(path: string, checksum: Checksum, meta: DirMeta): void {
    if (this.#isBareUser) applyBareUserMeta(path, meta);
    else applyBareMeta(path, meta);
    this.#moveIn(path, checksum, 'file');
  }

  #write(fd: number, data: Buffer): void {
    this.#takeRoom(data.length);
    for (let at = 0; at < data.length; ) at += writeSync(fd, data, at);
  }

  #takeRoom(bytes: number): void {
    this.#room -= bytes;
    if (this.#room < 0) {
      throw new AtomicError(
        'NO_SPACE',
        'No space left on the filesystem apart from the space that must stay free',
        {
          hint: 'Free some space on the filesystem of the image store and try again.',
        },
      );
    }
  }

  #abandon(fd: number): void {
    closeSync(fd);
    unlinkSync(this.#temporary);
  }

  /** A damaged object of the repository counts as missing: it is written again, and the transaction replaces it. */
  #hasSoundMetadata(checksum: Checksum, kind: 'dirtree' | 'dirmeta'): boolean {
    if (existsInFolder(this.#path(checksum, kind))) return true;
    const path = formatObjectPath(this.#repository, checksum, kind);
    return tolerateDamage(() => readVerifiedObject(path, checksum, kind)) !== undefined;
  }

  #isNew(checksum: Checksum, extension: string): boolean {
    if (existsInFolder(formatObjectPath(this.#repository, checksum, extension))) return false;
    return !existsInFolder(this.#path(checksum, extension));
  }

  #moveIn(path: string, checksum: Checksum, extension: string): void {
    const subfolder = checksum.slice(0, 2);
    if (!this.#subfolders.has(subfolder)) {
      mkdirSync(`${this.#folder}/${subfolder}`, { mode: 0o755 });
      this.#subfolders.add(subfolder);
    }
    renameSync(path, this.#path(checksum, extension));
  }

  #path(checksum: Checksum, extension: string): string {
    return `${this.#folder}/${checksum.slice(0, 2)}/${checksum.slice(2)}.${extension}`;
  }
}

/**
 * Finds the staging folder of the open transaction. Its name is random and libostree has no call that returns it, but keeps
 * the folder open: so a descriptor of this process leads to it. `requireTakenOver` in `fetch-layer.ts` checks the result.
 */
function findStagingFolder(repository: string): string {
  const prefix = `${realpathSync(repository)}/tmp/staging-`;
  const folders = readdirSync('/proc/self/fd').flatMap((fd) => {
    const path = findLink(`/proc/self/fd/${fd}`);
    return path?.startsWith(prefix) && !path.endsWith('-lock') ? [path] : [];
  });
  const [folder] = folders;
  if (folder === undefined || folders.length > 1) {
    throw new Error(`${folders.length} staging folders of open transactions below ${repository}`);
  }
  return folder;
}

/** @returns `undefined` for a descriptor that was closed after `/proc/self/fd` was listed */
function findLink(path: string): string | undefined {
  return tolerateMissing(() => readlinkSync(path));
}

/** `existsSync` would follow symlinks, and a dangling symlink is an object too. */
function existsInFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
