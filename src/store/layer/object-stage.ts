/**
 * Writes objects into the staging folder of the open transaction, as libostree does. When the transaction is committed,
 * libostree syncs the filesystem once and renames them into `objects/`; see `object-files.ts` for the layout.
 *
 * ```
 * REPO/tmp/staging-BOOT-XXXXXX/     see `findStagingFolder`
 *   ab/cdef....file|dirtree|...     complete objects; commits are elsewhere, see waiting-files.ts
 *   atomic-object                   the object that this thread writes
 *   atomic-object-batched           the object of a batch that is being written, see file-batcher.ts
 *   atomic-object-attributes        see kept-attributes.ts
 * ```
 *
 * libostree's own import would be one call, but its checksums in plain C take twice the time of the rest of a pull. After a
 * crash libostree gives the folder to the next transaction of the same boot, or removes it.
 */

import {
  closeSync,
  fchmodSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tolerateMissing } from '../../base/file-error.ts';
import { FileMode } from '../../base/file-mode.ts';
import type { Locations } from '../../host/locations.ts';
import { type Checksum, computeChecksum } from '../../image/checksum.ts';
import type { DirectoryObjects } from '../../ostree/layer-tree.ts';
import { formatObjectPath } from '../../ostree/object-files.ts';
import { type DirMeta, type DirTree, formatFileHeader, parseDirTree } from '../../ostree/ostree-objects.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { readVerifiedObject } from '../../ostree/verified-object.ts';
import { applyBareMeta, applyBareSymlinkMeta, applyBareUserMeta } from './apply-meta.ts';
import { FileBatcher } from './file-batcher.ts';
import type { FileWorker } from './file-worker.ts';
import { FileWriter } from './file-writer.ts';
import { KeptAttributes } from './kept-attributes.ts';
import { Room } from './room.ts';
import { StageFolder } from './stage-folder.ts';
import { UnnamedFile } from './unnamed-file.ts';

const BUFFERED = 'atomic-object';

export class ObjectStage implements DirectoryObjects {
  readonly #isBareUser: boolean;
  readonly #folder: StageFolder;
  readonly #temporary: string;
  readonly #room: Room;
  readonly #files: FileBatcher;

  /**
   * @param locations locations of a repository with an open transaction, the only one of this process
   * @param room number of content bytes that may be written
   * @param worker worker that no other stage uses at the same time
   * @throws Error when there is no transaction
   */
  constructor(
    { repository, repositoryMode }: Pick<Locations, 'repository' | 'repositoryMode'>,
    room: number,
    worker: FileWorker,
  ) {
    this.#room = Room.of(room);
    this.#isBareUser = repositoryMode === 'bare-user';
    this.#folder = new StageFolder(repository, findStagingFolder(repository));
    const { path } = this.#folder;
    this.#temporary = `${path}/${BUFFERED}`;
    for (const name of readdirSync(path)) {
      if (name.startsWith(BUFFERED)) rmSync(`${path}/${name}`, { recursive: true });
    }
    this.#files = new FileBatcher(this.#folder, worker, {
      temporary: this.#temporary,
      isBareUser: this.#isBareUser,
      room: this.#room,
    });
  }

  /**
   * Waits until there is room in memory for the next part of the archive.
   *
   * @throws the first error of writing files
   */
  async settle(): Promise<void> {
    await this.#files.settle();
  }

  /** Writes the remaining files. Files may be read or committed only after that. @throws as `settle` */
  async finish(): Promise<void> {
    await this.#files.finish();
  }

  /** Gives up: ends the writing of files, and ignores its errors. A file that is not complete is removed. */
  async end(): Promise<void> {
    this.#room.close();
    await this.#files.end();
  }

  /**
   * Begins a regular file. Only one file may be open at a time.
   *
   * @param meta owner, mode with the file type, and xattrs of the file
   */
  beginFile(meta: DirMeta): FileWriter {
    return new FileWriter(meta, {
      append: (bytes) => this.#files.append(bytes),
      open: () => this.#openFile(),
      write: (fd, bytes) => this.#write(fd, bytes),
      finish: (checksum, fd) => this.#finishFile(checksum, meta, fd),
      abandon: (fd) => this.#abandon(fd),
    });
  }

  /** Writes a symlink. @returns its checksum */
  writeSymlink(meta: DirMeta, target: string): Checksum {
    const checksum = computeChecksum(formatFileHeader(meta, target));
    if (this.#isBareUser) this.#writeUserSymlink(checksum, meta, target);
    else if (this.#folder.isNew(checksum, 'file')) {
      symlinkSync(target, this.#temporary);
      applyBareSymlinkMeta(this.#temporary, meta);
      this.#folder.moveIn(this.#temporary, checksum, 'file');
    }
    return checksum;
  }

  /** In `bare-user` the object of a symlink is a file that contains the target and a NUL. */
  #writeUserSymlink(checksum: Checksum, meta: DirMeta, target: string): void {
    const content = Buffer.from(`${target}\0`, 'utf8');
    if (this.#files.append(content)) this.#files.add(checksum, meta);
    else this.#files.create(checksum, meta, content);
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
    const fd = openSync(this.#temporary, 'wx', FileMode.private);
    try {
      this.#write(fd, data);
      fchmodSync(fd, FileMode.public);
    } finally {
      closeSync(fd);
    }
    this.#folder.moveIn(this.#temporary, checksum, kind);
  }

  /**
   * Reads a directory that this stage has written or found in the repository.
   *
   * @throws AtomicError STORE_CORRUPT when it was damaged after that
   */
  readDirTree(checksum: Checksum): DirTree {
    const path = this.#folder.has(checksum, 'dirtree')
      ? this.#folder.format(checksum, 'dirtree')
      : formatObjectPath(this.#folder.repository, checksum, 'dirtree');
    return parseDirTree(readVerifiedObject(path, checksum, 'dirtree'));
  }

  #openFile(): number {
    const fd = openSync(this.#temporary, 'wx', FileMode.private);
    try {
      this.#write(fd, this.#files.takeContent());
    } catch (error) {
      this.#abandon(fd);
      throw error;
    }
    return fd;
  }

  /** @param fd the temporary file, when it has the content */
  #finishFile(checksum: Checksum, meta: DirMeta, fd: number | undefined): void {
    if (fd === undefined) {
      this.#files.add(checksum, meta);
      return;
    }
    if (!this.#folder.isNew(checksum, 'file')) {
      this.#abandon(fd);
      return;
    }
    closeSync(fd);
    if (this.#isBareUser) applyBareUserMeta(this.#temporary, meta);
    else applyBareMeta(this.#temporary, meta);
    this.#folder.moveIn(this.#temporary, checksum, 'file');
  }

  #write(fd: number, data: Uint8Array): void {
    this.#room.take(data.length);
    for (let at = 0; at < data.length; ) at += writeSync(fd, data, at);
  }

  #abandon(fd: number | undefined): void {
    this.#files.takeContent();
    if (fd === undefined) return;
    closeSync(fd);
    unlinkSync(this.#temporary);
  }

  /** A damaged object of the repository counts as missing: it is written again, and the transaction replaces it. */
  #hasSoundMetadata(checksum: Checksum, kind: 'dirtree' | 'dirmeta'): boolean {
    if (this.#folder.has(checksum, kind)) return true;
    const path = formatObjectPath(this.#folder.repository, checksum, kind);
    return tolerateDamage(() => readVerifiedObject(path, checksum, kind)) !== undefined;
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
