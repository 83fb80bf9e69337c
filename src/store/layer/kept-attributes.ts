/**
 * Finds out what becomes of extended attributes before the checksum of a file is computed from them. The kernel stores some
 * in another form than they were given (an ACL that says no more than the mode does, a capability of another version),
 * changes the mode by others, and refuses those of unknown kinds, of the wrong type of file, or larger than the filesystem
 * keeps. So a file of the same kind gets them first, and what can be read from it counts. What is refused is left out, and
 * counted. Files without attributes cost nothing, and those with the same ones are tried once.
 */

import {
  chmodSync,
  closeSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  symlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Locations } from '../../base/locations.ts';
import { SystemCallFailed } from '../../native/libc.ts';
import { findXattr, writeXattr } from '../../native/xattr.ts';
import { FileType, PERMISSIONS } from '../../ostree/file-mode.ts';
import { type DirMeta, formatDirMeta, type Xattr } from '../../ostree/ostree-objects.ts';
import { writeUserMeta } from './apply-meta.ts';

/** What the kernel says of attributes that a filesystem does not keep, or that the file may not have. */
const REFUSED = ['EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'E2BIG', 'ERANGE', 'EPERM', 'EACCES', 'EOVERFLOW'];
const ROOM_FOR_ANY_XATTR = 16 * 1024 * 1024;
/** Real layers have a few; what they were is remembered no longer than that. */
const MAX_REMEMBERED = 1024;
const MAX_KEY_LENGTH = 4096;
/** So many names are counted one by one. */
const MAX_COUNTED = 256;
const OTHER_NAMES = 'other names';
/** No attribute on a disk has a longer name. */
const MAX_SHOWN_LENGTH = 255;
/** Attributes whose names together are longer cannot be listed, by `verify` neither. */
const MAX_NAMES_BYTES = 65_536;

interface Tried {
  readonly meta: DirMeta;
  readonly leftOut: readonly string[];
}

export class KeptAttributes {
  readonly #path: string;
  readonly #mode: Locations['repositoryMode'];
  readonly #tried = new Map<string, Tried>();
  readonly #leftOut = new Map<string, number>();

  /** @param path where nothing is, on the filesystem of the repository; after a crash something may be there */
  constructor(path: string, mode: Locations['repositoryMode']) {
    this.#path = path;
    this.#mode = mode;
  }

  /** How many files have lost an attribute, by its name. */
  get leftOut(): ReadonlyMap<string, number> {
    return this.#leftOut;
  }

  /** @returns the mode and attributes that a file or directory will have */
  keep(meta: DirMeta): DirMeta {
    if (meta.xattrs.length === 0) return meta;
    const key = formatDirMeta(meta).toString('latin1');
    const tried = this.#tried.get(key) ?? this.#try(meta);
    if (this.#tried.size >= MAX_REMEMBERED) this.#tried.clear();
    if (key.length <= MAX_KEY_LENGTH) this.#tried.set(key, tried);
    for (const name of tried.leftOut) this.#count(name);
    return tried.meta;
  }

  #count(name: string): void {
    const shown = name.slice(0, MAX_SHOWN_LENGTH);
    const isNamed = this.#leftOut.has(shown) || this.#leftOut.size < MAX_COUNTED;
    const key = isNamed ? shown : OTHER_NAMES;
    this.#leftOut.set(key, (this.#leftOut.get(key) ?? 0) + 1);
  }

  #try(meta: DirMeta): Tried {
    const isDirectory = (meta.mode & FileType.mask) === FileType.directory;
    // Of the mode `bare-user` directories are objects only, and no user can give them more.
    if (this.#mode === 'bare-user' && isDirectory) return this.#select(meta, () => undefined);
    try {
      return this.#mode === 'bare-user' ? this.#tryUserFile(meta) : this.#tryFile(meta);
    } finally {
      rmSync(this.#path, { recursive: true, force: true });
    }
  }

  #tryFile(meta: DirMeta): Tried {
    const type = meta.mode & FileType.mask;
    if (type === FileType.directory) mkdirSync(this.#path);
    else if (type === FileType.symlink) symlinkSync('target', this.#path);
    else createFile(this.#path);
    lchownSync(this.#path, meta.uid, meta.gid);
    if (type !== FileType.symlink) chmodSync(this.#path, meta.mode & PERMISSIONS);
    const { meta: given, leftOut } = this.#select(meta, ([name, value]) =>
      writeXattr(this.#path, [withoutEnd(name), value]),
    );
    const xattrs = given.xattrs.flatMap<Xattr>(([name]) => {
      const value = findXattr(this.#path, withoutEnd(name));
      return value === undefined || value.length === 0 ? [] : [[name, value]];
    });
    const mode = type === FileType.symlink ? meta.mode : lstatSync(this.#path).mode;
    return { meta: { ...meta, mode, xattrs }, leftOut };
  }

  #tryUserFile(meta: DirMeta): Tried {
    createFile(this.#path);
    return this.#select(meta, (_, xattrs) => writeUserMeta(this.#path, { ...meta, xattrs }));
  }

  /** @param set gives the file one more attribute, the last of all */
  #select(meta: DirMeta, set: (attribute: Xattr, all: readonly Xattr[]) => void): Tried {
    let xattrs: readonly Xattr[] = [];
    const leftOut: string[] = [];
    let namesBytes = 0;
    for (const attribute of meta.xattrs) {
      const [name, value] = attribute;
      const isListable = namesBytes + name.length <= MAX_NAMES_BYTES;
      // libostree puts an attribute without value into the checksum of a file, but not on the disk.
      if (value.length > 0 && isListable && this.#isTaken(() => set(attribute, [...xattrs, attribute]))) {
        xattrs = [...xattrs, attribute];
        namesBytes += name.length;
      } else {
        leftOut.push(withoutEnd(name).toString('utf8'));
      }
    }
    return { meta: { ...meta, xattrs }, leftOut };
  }

  #isTaken(set: () => void): boolean {
    try {
      set();
      return true;
    } catch (error) {
      if (error instanceof SystemCallFailed && isRefusal(error.code, dirname(this.#path))) return false;
      throw error;
    }
  }
}

function createFile(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

function withoutEnd(name: Buffer): Buffer {
  return name.subarray(0, -1);
}

/** ext4 keeps all attributes of a file in one block, and says ENOSPC when they are larger, however empty the disk is. */
function isRefusal(code: string, folder: string): boolean {
  if (code !== 'ENOSPC') return REFUSED.includes(code);
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > ROOM_FOR_ANY_XATTR;
}
