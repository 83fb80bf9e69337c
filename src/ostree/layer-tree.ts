/**
 * Builds the tree of one layer from the entries of its archive in their order (OCI image specification, "Layer"): a
 * later entry replaces an earlier entry of the same path, and a hard link is the file that its target is at that
 * moment.
 *
 * Archives go from directory to directory. From time to time the directories that were left are written, and only their
 * checksums are kept; they are read again when an entry needs them. So memory grows with the directories above the last
 * entry, not with the number of files. A directory that changes after it was written leaves an unused object.
 */

import { compareUtf8 } from '../base/compare-utf8.ts';
import { AtomicError } from '../base/errors.ts';
import { type Checksum, computeChecksum } from '../image/checksum.ts';
import { WHITEOUT_PREFIX } from './layer-names.ts';
import {
  type DirMeta,
  type DirTree,
  formatDirMeta,
  formatDirTree,
  plainDirectory,
} from './ostree-objects.ts';

/** Checksums that name a directory: of its list of children and of its owner, mode and xattrs. */
export interface TreeChecksums {
  readonly dirtree: Checksum;
  readonly dirmeta: Checksum;
}

/** Stores the directories of a tree. */
export interface DirectoryObjects {
  /** Stores a metadata object that the tree needs. Called more than once for some objects. */
  write(kind: 'dirtree' | 'dirmeta', checksum: Checksum, data: Buffer): void;
  /** Reads a dirtree object that was written. */
  readDirTree(checksum: Checksum): DirTree;
}

interface OpenDirectory {
  /** Checksum of owner, mode and xattrs; `undefined` as long as no entry names the directory. */
  dirmeta: Checksum | undefined;
  readonly files: Map<string, Checksum>;
  readonly directories: Map<string, OpenDirectory | TreeChecksums>;
}

/** Number of entries after which directories are closed; they take some hundred kilobytes. */
const CLOSING_INTERVAL = 1024;

export class LayerTreeBuilder {
  readonly #objects: DirectoryObjects;
  readonly #root = createDirectory();
  /** Checksums of the dirmeta objects that were written, by their attributes. */
  readonly #metas = new Map<string, Checksum>();
  readonly #leastInterval: number;
  #interval: number;
  #added = 0;
  /** Number of children that the last closing visited. */
  #passed = 0;

  /** @param interval number of entries after which directories are closed */
  constructor(objects: DirectoryObjects, interval = CLOSING_INTERVAL) {
    this.#objects = objects;
    this.#leastInterval = interval;
    this.#interval = interval;
  }

  /**
   * @param path without leading slash, see `TarEntry.path`
   * @param checksum checksum of the content object
   * @throws AtomicError LAYER_REJECTED when the path is a directory, or a parent of it is a file
   */
  addFile(path: string, checksum: Checksum): void {
    const { parent, name } = this.#locate(path);
    if (parent.directories.has(name)) throw rejected(`${path} is both a file and a directory`);
    parent.files.set(name, checksum);
    this.#closeLeft(path);
  }

  /** Replaces a file of this name. @throws AtomicError LAYER_REJECTED when a parent of the path is a file */
  addDirectory(path: string, meta: DirMeta): void {
    if (path !== '') {
      const { parent, name } = this.#locate(path);
      parent.files.delete(name);
    }
    this.#ensureDirectory(path).dirmeta = this.#writeMeta(meta);
    this.#closeLeft(path);
  }

  /**
   * @param target path of the file that the hard link names
   * @throws AtomicError LAYER_REJECTED when there is no such file yet
   */
  addHardLink(path: string, target: string): void {
    const checksum = this.#findFile(target);
    if (checksum === undefined) {
      throw rejected(
        `the hard link ${path} leads to ${target}, which is not an earlier file of the same layer`,
      );
    }
    this.addFile(path, checksum);
  }

  /**
   * Puts a whiteout in the place of an entry that the store cannot keep, so that the path of lower layers is still hidden.
   *
   * @param whiteout checksum of an empty file
   */
  hideFile(path: string, whiteout: Checksum): void {
    const { parent, name } = this.#locate(path);
    parent.files.delete(name);
    parent.files.set(name.startsWith(WHITEOUT_PREFIX) ? name : `${WHITEOUT_PREFIX}${name}`, whiteout);
    this.#closeLeft(path);
  }

  /** Writes all directories. Those that no entry named get the owner 0:0 and the mode 0755. */
  finish(): TreeChecksums {
    return this.#close(this.#root);
  }

  #locate(path: string): { parent: OpenDirectory; name: string } {
    const slash = path.lastIndexOf('/');
    return { parent: this.#ensureDirectory(path.slice(0, Math.max(slash, 0))), name: path.slice(slash + 1) };
  }

  #ensureDirectory(path: string): OpenDirectory {
    let directory = this.#root;
    for (const name of path === '' ? [] : path.split('/')) {
      let child = this.#open(directory, name);
      if (child === undefined) {
        if (directory.files.has(name)) throw rejected(`${path}: ${name} is both a file and a directory`);
        child = createDirectory();
        directory.directories.set(name, child);
      }
      directory = child;
    }
    return directory;
  }

  #findFile(path: string): Checksum | undefined {
    const names = path.split('/');
    const last = names.pop() ?? '';
    let directory: OpenDirectory | undefined = this.#root;
    for (const name of names) directory = directory === undefined ? undefined : this.#open(directory, name);
    return directory?.files.get(last);
  }

  #open(parent: OpenDirectory, name: string): OpenDirectory | undefined {
    const child = parent.directories.get(name);
    if (child === undefined || isOpen(child)) return child;
    const { files, directories } = this.#objects.readDirTree(child.dirtree);
    const opened: OpenDirectory = {
      dirmeta: child.dirmeta,
      files: new Map(files.map(({ name, checksum }) => [name, checksum])),
      directories: new Map(directories.map(({ name, ...checksums }) => [name, checksums])),
    };
    parent.directories.set(name, opened);
    return opened;
  }

  /**
   * Closes all directories but those above an entry, when at least as many children were added as the last closing visited.
   * So an archive that alternates between large directories takes at most twice the time.
   *
   * @param path path of the entry that was added last
   */
  #closeLeft(path: string): void {
    this.#added += 1;
    if (this.#added < this.#interval) return;
    this.#passed = 0;
    let directory: OpenDirectory | TreeChecksums | undefined = this.#root;
    for (const name of path.split('/')) {
      if (directory === undefined || !isOpen(directory)) break;
      this.#passed += directory.directories.size;
      for (const [other, child] of directory.directories) {
        if (other !== name && isOpen(child)) directory.directories.set(other, this.#close(child));
      }
      directory = directory.directories.get(name);
    }
    this.#added = 0;
    this.#interval = Math.max(this.#leastInterval, this.#passed);
  }

  #close({ dirmeta, files, directories }: OpenDirectory): TreeChecksums {
    const tree: DirTree = {
      files: sortByName([...files].map(([name, checksum]) => ({ name, checksum }))),
      directories: sortByName(
        [...directories].map(([name, child]) => ({ name, ...(isOpen(child) ? this.#close(child) : child) })),
      ),
    };
    this.#passed += files.size + directories.size;
    const data = formatDirTree(tree);
    const dirtree = computeChecksum(data);
    this.#objects.write('dirtree', dirtree, data);
    return { dirtree, dirmeta: dirmeta ?? this.#writeMeta(plainDirectory.meta) };
  }

  /** Most directories share a few owners and modes, so those are remembered. Xattrs are rare and may be long. */
  #writeMeta(meta: DirMeta): Checksum {
    const data = formatDirMeta(meta);
    const key = data.toString('latin1');
    const known = this.#metas.get(key);
    if (known !== undefined) return known;
    const checksum = computeChecksum(data);
    this.#objects.write('dirmeta', checksum, data);
    if (meta.xattrs.length === 0) this.#metas.set(key, checksum);
    return checksum;
  }
}

function createDirectory(): OpenDirectory {
  return { dirmeta: undefined, files: new Map(), directories: new Map() };
}

function isOpen(directory: OpenDirectory | TreeChecksums): directory is OpenDirectory {
  return 'files' in directory;
}

function sortByName<T extends { readonly name: string }>(children: T[]): T[] {
  return children.sort((a, b) => compareUtf8(a.name, b.name));
}

function rejected(problem: string): AtomicError {
  return new AtomicError('LAYER_REJECTED', `reading the layer's archive: ${problem}`, {
    hint: 'Nothing of this layer was stored. Build and push the image again with a current tool, or ask its author.',
  });
}
