/**
 * The tree of one layer, built from the entries of its archive in their order (OCI image specification, "Layer"): a later
 * entry replaces an earlier one of the same path, a hard link means what its target is at that moment.
 */
import { createHash } from 'node:crypto';
import { compareUtf8 } from '../compare-utf8.ts';
import { AtomicError } from '../errors.ts';
import { type DirMeta, formatDirMeta, formatDirTree } from '../ostree-objects.ts';
import { plainDirectory } from '../plain-directory.ts';
import { DirectoryFiles } from './directory-files.ts';

/** Checksums that name a directory: of its list of children and of its owner, mode and xattrs. */
export interface TreeChecksums {
  readonly dirtree: string;
  readonly dirmeta: string;
}

/** Is given every metadata object that the tree needs, some of them more than once. */
export type WriteMetadataObject = (kind: 'dirtree' | 'dirmeta', checksum: string, data: Buffer) => void;

interface Directory {
  meta: Buffer;
  /** Only those that were `#enter`ed last are not packed. */
  readonly files: DirectoryFiles;
  readonly directories: Map<string, Directory>;
}

export class LayerTreeBuilder {
  readonly #root = createDirectory();
  /** Of directories without attributes, by themselves. */
  readonly #metas = new Map<string, Buffer>();
  #entered = this.#root.files;

  /**
   * @param path without leading slash, see `TarEntry.path`
   * @param checksum of the content object
   * @throws AtomicError LAYER_REJECTED when a directory has this name, or a file that of a directory above
   */
  addFile(path: string, checksum: string): void {
    const { parent, name } = this.#locate(path);
    if (parent.directories.has(name)) throw rejected(`${path} is both a file and a directory`);
    this.#enter(parent).set(name, checksum);
  }

  /** @throws AtomicError LAYER_REJECTED when a file has this name */
  addDirectory(path: string, meta: DirMeta): void {
    this.#ensureDirectory(path).meta = this.#formatShared(meta);
  }

  /**
   * @param target path of the file that it links to
   * @throws AtomicError LAYER_REJECTED when there is no such file yet
   */
  addHardLink(path: string, target: string): void {
    const checksum = this.#findFile(target);
    if (checksum === undefined) {
      throw rejected(`the hard link ${path} leads to ${target}, which is no file before it`);
    }
    this.addFile(path, checksum);
  }

  /** Makes the directories above a path, as an entry does that cannot be stored itself. */
  addParents(path: string): void {
    this.#locate(path);
  }

  /** Directories that no entry named get the owner 0:0 and the mode 0755. */
  finish(write: WriteMetadataObject): TreeChecksums {
    return finishDirectory(this.#root, write);
  }

  /** Most directories have one of a few owners and modes. Attributes are rare, and may be long. */
  #formatShared(meta: DirMeta): Buffer {
    // A copy, because what is formatted has room to spare.
    const data = Buffer.from(formatDirMeta(meta));
    if (meta.xattrs.length > 0) return data;
    const key = data.toString('latin1');
    const known = this.#metas.get(key) ?? data;
    this.#metas.set(key, known);
    return known;
  }

  #locate(path: string): { parent: Directory; name: string } {
    const slash = path.lastIndexOf('/');
    return { parent: this.#ensureDirectory(path.slice(0, Math.max(slash, 0))), name: path.slice(slash + 1) };
  }

  #ensureDirectory(path: string): Directory {
    let directory = this.#root;
    for (const name of path === '' ? [] : path.split('/')) {
      let child = directory.directories.get(name);
      if (child === undefined) {
        if (this.#enter(directory).get(name) !== undefined) {
          throw rejected(`${path}: ${name} is both a file and a directory`);
        }
        child = createDirectory();
        directory.directories.set(name, child);
      }
      directory = child;
    }
    return directory;
  }

  #findFile(path: string): string | undefined {
    const names = path.split('/');
    const last = names.pop() ?? '';
    let directory: Directory | undefined = this.#root;
    for (const name of names) directory = directory?.directories.get(name);
    return directory === undefined ? undefined : this.#enter(directory).get(last);
  }

  #enter({ files }: Directory): DirectoryFiles {
    if (files !== this.#entered) this.#entered.pack();
    this.#entered = files;
    return files;
  }
}

function createDirectory(): Directory {
  return { meta: plainDirectory.data, files: new DirectoryFiles(), directories: new Map() };
}

function finishDirectory(directory: Directory, write: WriteMetadataObject): TreeChecksums {
  const directories = [...directory.directories]
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([name, child]) => ({ name, ...finishDirectory(child, write) }));
  const tree = formatDirTree({ files: directory.files.list(), directories });
  const checksums = { dirtree: digest(tree), dirmeta: digest(directory.meta) };
  write('dirtree', checksums.dirtree, tree);
  write('dirmeta', checksums.dirmeta, directory.meta);
  return checksums;
}

function digest(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function rejected(problem: string): AtomicError {
  return new AtomicError('LAYER_REJECTED', `reading the layer's archive: ${problem}`, {
    hint: 'Nothing of this layer was stored. Build and push the image again with a current tool, or ask its author.',
  });
}
