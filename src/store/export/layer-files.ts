/** Opens the files of a layer's tree in the order of its archive, where files of one directory usually follow each other. */

import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isErrno } from '../../base/file-error.ts';
import type { Checksum } from '../../image/checksum.ts';
import { formatObjectPath, readDirTree } from '../../ostree/object-files.ts';

interface Directory {
  readonly path: string;
  /** Checksums of content objects by name. */
  readonly files: ReadonlyMap<string, Checksum>;
  /** Checksums of dirtrees by name. */
  readonly directories: ReadonlyMap<string, Checksum>;
}

/** `missing`: the tree has no such file. `lost`: the tree has the file, but the repository does not have its object. */
export type OpenedFile =
  | { readonly kind: 'open'; readonly fd: number; readonly size: number; readonly checksum: Checksum }
  | { readonly kind: 'missing' }
  | { readonly kind: 'lost'; readonly checksum: Checksum };

/** An object of the mode `bare` may be a symlink to any path of this machine, so it is not followed. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class LayerFiles {
  readonly #repository: string;
  /** Directories above the file that was opened last, the root first. */
  #chain: Directory[];

  constructor(repository: string, dirtree: Checksum) {
    this.#repository = repository;
    this.#chain = [this.#read('', dirtree)];
  }

  /**
   * Opens a file. The caller closes `fd`.
   *
   * @param name name as in the archive; a leading `/` or `./` and double slashes have no meaning
   * @throws AtomicError STORE_CORRUPT
   */
  open(name: string): OpenedFile {
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    const checksum = this.#enter(parts.slice(0, -1))?.files.get(parts.at(-1) ?? '');
    if (checksum === undefined) return { kind: 'missing' };
    const fd = openObject(formatObjectPath(this.#repository, checksum, 'file'));
    if (fd === undefined) return { kind: 'lost', checksum };
    if (fd === 'symlink') return { kind: 'missing' };
    const stats = fstatSync(fd);
    if (stats.isFile()) return { kind: 'open', fd, size: stats.size, checksum };
    closeSync(fd);
    return { kind: 'missing' };
  }

  #enter(parts: readonly string[]): Directory | undefined {
    const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    const common = paths.findIndex((path, index) => this.#chain[index + 1]?.path !== path);
    this.#chain.length = 1 + (common < 0 ? paths.length : common);
    for (const [index, path] of paths.entries()) {
      if (index + 1 < this.#chain.length) continue;
      const dirtree = this.#chain.at(-1)?.directories.get(parts[index] ?? '');
      if (dirtree === undefined) return undefined;
      this.#chain.push(this.#read(path, dirtree));
    }
    return this.#chain.at(-1);
  }

  #read(path: string, dirtree: Checksum): Directory {
    const { files, directories } = readDirTree(this.#repository, dirtree);
    return {
      path,
      files: new Map(files.map(({ name, checksum }) => [name, checksum])),
      directories: new Map(directories.map((child) => [child.name, child.dirtree])),
    };
  }
}

function openObject(path: string): number | 'symlink' | undefined {
  try {
    return openSync(path, openFlags);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    if (isErrno(error, 'ELOOP')) return 'symlink';
    throw error;
  }
}
