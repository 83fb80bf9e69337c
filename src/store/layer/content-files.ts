/**
 * Creates the files of content objects, one at a time, with synchronous calls. The main thread does it for a few files, the
 * worker (`file-worker.ts`) for many.
 */

import { closeSync, fchmodSync, fchownSync, fstatSync, futimesSync, openSync, writeSync } from 'node:fs';
import { FileMode, PERMISSIONS, SETGID, SETUID, STICKY } from '../../base/file-mode.ts';
import { unlinkIfThere } from '../../host/files/unlink-file.ts';
import type { Checksum } from '../../image/checksum.ts';
import type { DirMeta } from '../../ostree/ostree-objects.ts';
import type { Room } from './room.ts';
import type { StageFolder } from './stage-folder.ts';

/** Time of every object, the same as in libostree: objects have no time of their own. */
const CONTENT_TIME = 0;
/** Permissions that an open does not give reliably: the bits for setuid, setgid and sticky. */
const SPECIAL = SETUID | SETGID | STICKY;

/** Sets owner, mode and extended attributes of a complete file by its path. */
export type ApplyMeta = (path: string, meta: DirMeta) => void;

type Given = Pick<DirMeta, 'uid' | 'gid' | 'mode'>;

export class ContentFiles {
  readonly #folder: StageFolder;
  readonly #temporary: string;
  readonly #room: Room;
  /** Owner and mode that a new file of the folder gets, by the mode that the open asks for. */
  readonly #given = new Map<number, Given>();

  /** @param temporary unused path in the staging folder, for the file that is being written */
  constructor(folder: StageFolder, temporary: string, room: Room) {
    this.#folder = folder;
    this.#temporary = temporary;
    this.#room = room;
  }

  /**
   * Creates the file of an object that neither the stage nor the repository has.
   *
   * @param applyMeta needed for what the calls on an open file cannot set: extended attributes
   * @throws errors of the file, which is then removed; AtomicError NO_SPACE
   */
  create(checksum: Checksum, meta: DirMeta, content: Uint8Array, applyMeta?: ApplyMeta): void {
    if (!this.#folder.isNew(checksum, 'file')) return;
    this.#room.take(content.length);
    const asked = applyMeta === undefined ? meta.mode & PERMISSIONS & ~SPECIAL : FileMode.private;
    const fd = openSync(this.#temporary, 'wx', asked);
    try {
      try {
        for (let at = 0; at < content.length; ) at += writeSync(fd, content, at, content.length - at);
        if (applyMeta === undefined) this.#describe(fd, asked, meta);
      } finally {
        closeSync(fd);
      }
      applyMeta?.(this.#temporary, meta);
      this.#folder.moveIn(this.#temporary, checksum, 'file');
    } catch (error) {
      unlinkIfThere(this.#temporary);
      throw error;
    }
  }

  /** The owner first, because that removes setuid bits. */
  #describe(fd: number, asked: number, { uid, gid, mode }: DirMeta): void {
    const given = this.#findGiven(fd, asked);
    if (given.uid !== uid || given.gid !== gid) fchownSync(fd, uid, gid);
    if (given.mode !== (mode & PERMISSIONS)) fchmodSync(fd, mode & PERMISSIONS);
    futimesSync(fd, CONTENT_TIME, CONTENT_TIME);
  }

  /** The same for all files: it depends on the process and the folder, its access list included. */
  #findGiven(fd: number, asked: number): Given {
    const known = this.#given.get(asked);
    if (known !== undefined) return known;
    const { uid, gid, mode } = fstatSync(fd);
    const given = { uid, gid, mode: mode & PERMISSIONS };
    this.#given.set(asked, given);
    return given;
  }
}
