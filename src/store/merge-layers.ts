/**
 * Merges the layers of an image as data (OCI image specification, "Layer": applying changesets, whiteouts). No layer is
 * written to a disk in between, so a symlink of one layer cannot redirect a file of another layer.
 */

import { compareUtf8 } from '../base/compare-utf8.ts';
import { AtomicError } from '../base/errors.ts';
import { type Checksum, computeChecksum } from '../image/checksum.ts';
import { findParentPath, WHITEOUT_PREFIX } from '../ostree/layer-names.ts';
import {
  type DirTree,
  formatDirTree,
  parseDirTree,
  plainDirectory,
  type TreeDirectory,
  type TreeFile,
} from '../ostree/ostree-objects.ts';

/** Beginning of aufs' own names. Only the opaque marker among them has a meaning. */
const WHITEOUT_META_PREFIX = '.wh..wh.';
const OPAQUE_MARKER = '.wh..wh..opq';

/** The root directory of one layer. */
export interface LayerTree {
  readonly dirtree: Checksum;
  readonly dirmeta: Checksum;
  /**
   * Directories that the layer's archive implies but does not name, without leading slash, the root as `''`. They have the
   * owner, mode and xattrs of the lower layer, or plain ones where that has no such directory.
   */
  readonly impliedDirectories: ReadonlySet<string>;
  /** Whether a path of the layer may be a whiteout. */
  readonly mayHaveWhiteouts: boolean;
}

export interface MergedRoot {
  readonly dirtree: Checksum;
  readonly dirmeta: Checksum;
  /** Serialised dirtree objects, by checksum, that the merge has made for the root. The root may also need `plainDirectory`. */
  readonly created: ReadonlyMap<Checksum, Buffer>;
}

/** Reads a serialised dirtree object by its checksum. */
type ReadDirTree = (checksum: Checksum) => Buffer;

/**
 * @param layers base first, at least one
 * @throws AtomicError LAYER_REJECTED for a whiteout without a name
 */
export function mergeLayers(layers: readonly LayerTree[], readDirTree: ReadDirTree): MergedRoot {
  const [base, ...uppers] = layers;
  if (base === undefined) throw new Error('an image without layers cannot be merged');
  const trees = new TreeSet(readDirTree);
  let root: TreeDirectory = {
    name: '',
    dirmeta: chooseDirMeta(base, '', base.dirmeta, undefined),
    dirtree: trees.applied(undefined, base.dirtree, '', describeChanges(base)),
  };
  for (const layer of uppers.map(describeChanges)) {
    root = {
      name: '',
      dirmeta: chooseDirMeta(layer, '', layer.dirmeta, root.dirmeta),
      dirtree: trees.applied(root.dirtree, layer.dirtree, '', layer),
    };
  }
  return { dirtree: root.dirtree, dirmeta: root.dirmeta, created: trees.createdBelow(root.dirtree) };
}

/** Directories by checksum: those of the repository and those that the merge has made. */
class TreeSet {
  readonly #readDirTree: ReadDirTree;
  readonly #parsed = new Map<Checksum, DirTree>();
  readonly #created = new Map<Checksum, Buffer>();

  constructor(readDirTree: ReadDirTree) {
    this.#readDirTree = readDirTree;
  }

  /** Applies the upper directory to the lower one, if there is one. @returns the checksum of the result */
  applied(lower: Checksum | undefined, upper: Checksum, path: string, layer: ChangingLayer): Checksum {
    if (lower === undefined && isTakenUnread(layer, path)) return upper;
    const upperTree = this.#tree(upper);
    const changes = readChanges(upperTree, path);
    const visibleLower = changes.isOpaque ? undefined : lower;
    const lowerTree = visibleLower === undefined ? EMPTY_TREE : this.#tree(visibleLower);

    const directories = new Map<string, TreeDirectory>();
    const files = new Map<string, TreeFile>();
    for (const directory of lowerTree.directories) {
      if (!changes.removed.has(directory.name)) directories.set(directory.name, directory);
    }
    for (const file of lowerTree.files) {
      if (!changes.removed.has(file.name)) files.set(file.name, file);
    }
    for (const { name, dirtree, dirmeta } of changes.directories) {
      const below = directories.get(name);
      const childPath = path === '' ? name : `${path}/${name}`;
      files.delete(name);
      directories.set(name, {
        name,
        dirtree: this.applied(below?.dirtree, dirtree, childPath, layer),
        dirmeta: chooseDirMeta(layer, childPath, dirmeta, below?.dirmeta),
      });
    }
    for (const file of changes.files) {
      directories.delete(file.name);
      files.set(file.name, file);
    }
    return this.#store({ files: sortedByName(files), directories: sortedByName(directories) }, [
      { checksum: upper, tree: upperTree },
      ...(visibleLower === undefined ? [] : [{ checksum: visibleLower, tree: lowerTree }]),
    ]);
  }

  /** @returns the created directories that the root needs, without those of intermediate steps */
  createdBelow(root: Checksum): ReadonlyMap<Checksum, Buffer> {
    const needed = new Map<Checksum, Buffer>();
    const visit = (checksum: Checksum): void => {
      const data = this.#created.get(checksum);
      if (data === undefined || needed.has(checksum)) return;
      needed.set(checksum, data);
      for (const { dirtree } of this.#tree(checksum).directories) visit(dirtree);
    };
    visit(root);
    return needed;
  }

  #tree(checksum: Checksum): DirTree {
    const known = this.#parsed.get(checksum);
    if (known !== undefined) return known;
    const tree = parseDirTree(this.#readDirTree(checksum));
    this.#parsed.set(checksum, tree);
    return tree;
  }

  /** Stores a directory. A directory that equals an origin has the origin's checksum, and is not serialised again. */
  #store(tree: DirTree, origins: readonly { checksum: Checksum; tree: DirTree }[]): Checksum {
    const same = origins.find((origin) => isSameTree(origin.tree, tree));
    if (same !== undefined) return same.checksum;
    const data = formatDirTree(tree);
    const checksum = computeChecksum(data);
    if (!this.#parsed.has(checksum)) {
      this.#parsed.set(checksum, tree);
      this.#created.set(checksum, data);
    }
    return checksum;
  }
}

/** The owner of an implied directory in the layer has no meaning: libostree takes it from an entry below. */
function chooseDirMeta(
  layer: LayerTree,
  path: string,
  upper: Checksum,
  lower: Checksum | undefined,
): Checksum {
  return layer.impliedDirectories.has(path) ? (lower ?? plainDirectory.checksum) : upper;
}

/** A layer, and the directories that have an implied directory below them. */
interface ChangingLayer extends LayerTree {
  readonly parentsOfImplied: ReadonlySet<string>;
}

function describeChanges(layer: LayerTree): ChangingLayer {
  const parentsOfImplied = new Set<string>();
  for (const path of layer.impliedDirectories) {
    for (let below = path; below !== ''; ) {
      const parent = findParentPath(below);
      if (parentsOfImplied.has(parent)) break;
      parentsOfImplied.add(parent);
      below = parent;
    }
  }
  return { ...layer, parentsOfImplied };
}

/** Whether a directory of the layer without a lower one is unchanged in the result. */
function isTakenUnread({ mayHaveWhiteouts, parentsOfImplied }: ChangingLayer, path: string): boolean {
  return !mayHaveWhiteouts && !parentsOfImplied.has(path);
}

const EMPTY_TREE: DirTree = { files: [], directories: [] };

interface Changes {
  readonly isOpaque: boolean;
  /** Names that the layer removes from lower layers. */
  readonly removed: ReadonlySet<string>;
  readonly files: readonly TreeFile[];
  readonly directories: readonly TreeDirectory[];
}

/** Separates whiteouts from entries. As in other implementations, the name alone makes a whiteout, not the type. */
function readChanges(tree: DirTree, path: string): Changes {
  const removed = new Set<string>();
  let isOpaque = false;
  for (const { name } of [...tree.files, ...tree.directories]) {
    if (!name.startsWith(WHITEOUT_PREFIX)) continue;
    if (name === OPAQUE_MARKER) isOpaque = true;
    if (name.startsWith(WHITEOUT_META_PREFIX)) continue;
    const target = name.slice(WHITEOUT_PREFIX.length);
    if (target === '' || target === '.' || target === '..') {
      throw new AtomicError('LAYER_REJECTED', `merging layers: the whiteout /${path}/${name} names no file`);
    }
    removed.add(target);
  }
  return {
    isOpaque,
    removed,
    files: tree.files.filter(({ name }) => !name.startsWith(WHITEOUT_PREFIX)),
    directories: tree.directories.filter(({ name }) => !name.startsWith(WHITEOUT_PREFIX)),
  };
}

function sortedByName<T extends { readonly name: string }>(entries: ReadonlyMap<string, T>): T[] {
  return [...entries.values()].sort((a, b) => compareUtf8(a.name, b.name));
}

function isSameTree(a: DirTree, b: DirTree): boolean {
  return (
    a.files.length === b.files.length &&
    a.directories.length === b.directories.length &&
    a.files.every((file, index) => {
      const other = b.files[index];
      return other?.name === file.name && other.checksum === file.checksum;
    }) &&
    a.directories.every((directory, index) => {
      const other = b.directories[index];
      return (
        other?.name === directory.name &&
        other.dirtree === directory.dirtree &&
        other.dirmeta === directory.dirmeta
      );
    })
  );
}
