/**
 * Finds the extended attributes that a file will have on the disk, before the checksum of the file is computed from them. The
 * kernel stores some attributes in another form (an ACL that equals the mode, a capability of another version). Others
 * change the mode. It refuses attributes of unknown kinds, for the wrong type of file, or larger than the filesystem allows.
 * So a file of the same type gets the attributes first, and the attributes that it then has count. Refused ones are left out
 * and counted. Files without attributes cost nothing, and equal attributes are tried once.
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
import { FileMode, FileType, PERMISSIONS } from '../../base/file-mode.ts';
import type { Locations } from '../../host/locations.ts';
import { SystemCallFailed } from '../../native/libc.ts';
import { findXattr, writeXattr } from '../../native/xattr.ts';
import { type DirMeta, formatDirMeta, type Xattr } from '../../ostree/ostree-objects.ts';
import { writeUserMeta } from './apply-meta.ts';

/** Errors for attributes that a filesystem does not support, or that the file may not have. */
const REFUSED = ['EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'E2BIG', 'ERANGE', 'EPERM', 'EACCES', 'EOVERFLOW'];
const ROOM_FOR_ANY_XATTR = 16 * 1024 * 1024;
/** Number of remembered results; real layers have a few different attributes. */
const MAX_REMEMBERED = 1024;
const MAX_KEY_LENGTH = 4096;
/** Number of names that are counted separately. */
const MAX_COUNTED = 256;
const OTHER_NAMES = 'other names';
/** The kernel's limit for the name of an attribute. */
const MAX_SHOWN_LENGTH = 255;
/** The kernel's limit for a list of names: `verify` could not list longer ones. */
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

  /** @param path unused path on the filesystem of the repository, for trial files; a crash may leave one */
  constructor(path: string, mode: Locations['repositoryMode']) {
    this.#path = path;
    this.#mode = mode;
  }

  /** Number of files that have lost an attribute, by the name of the attribute. */
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
    // In the mode `bare-user` directories are only objects, so the kernel does not limit their attributes.
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

  /** @param set sets the last attribute of `all` on the trial file */
  #select(meta: DirMeta, set: (attribute: Xattr, all: readonly Xattr[]) => void): Tried {
    let xattrs: readonly Xattr[] = [];
    const leftOut: string[] = [];
    let namesBytes = 0;
    for (const attribute of meta.xattrs) {
      const [name, value] = attribute;
      const isListable = namesBytes + name.length <= MAX_NAMES_BYTES;
      // libostree counts an attribute without value in the checksum of a file, but does not write it to the disk.
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
  closeSync(openSync(path, 'wx', FileMode.private));
}

function withoutEnd(name: Buffer): Buffer {
  return name.subarray(0, -1);
}

/** ext4 keeps all attributes of a file in one block, and reports ENOSPC when they are larger, also on an empty disk. */
function isRefusal(code: string, folder: string): boolean {
  if (code !== 'ENOSPC') return REFUSED.includes(code);
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > ROOM_FOR_ANY_XATTR;
}
