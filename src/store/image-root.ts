/**
 * Reads the root filesystem of an image. Commits of this program have it as their tree. Commits of the original tool have
 * only the manifest and the signatures (compatibility S-01): for readers, this module merges their layers in memory;
 * `merge-image.ts` writes the result to the store.
 */

import { AtomicError } from '../base/errors.ts';
import type { Checksum } from '../image/checksum.ts';
import type { ReadableTree, TreeNode } from '../ostree/compare-trees.ts';
import { formatObjectPath, readCommit, readDirMeta, readDirTree } from '../ostree/object-files.ts';
import { type Commit, type DirMeta, parseDirTree, plainDirectory } from '../ostree/ostree-objects.ts';
import { tolerateDamage } from '../ostree/tolerate-damage.ts';
import { readVerifiedObject } from '../ostree/verified-object.ts';
import { ImageKey, readImageParts } from './image-commit.ts';
import { type LayerTree, type MergedRoot, mergeLayers } from './merge-layers.ts';
import { readLayerTrees } from './stored-layer.ts';

/** A root filesystem. Its directories may be in no repository, when the merge has just made them. */
export interface ImageRoot extends ReadableTree {
  /**
   * Lists owners and modes that a folder of a checkout may have instead of those of its dirmeta object: the original tool
   * gave a folder those of the lowest layer, and the root its own. `path` has no leading slash; the root is `''`.
   */
  readonly listOtherMetas: (path: string) => readonly DirMeta[];
}

/** Names of the files in an image commit of the original tool. */
const ORIGINAL_FILE = /^(?:manifest\.json|signature-[0-9]+)$/;

/**
 * @param checksum checksum of an image's commit
 * @throws AtomicError STORE_CORRUPT, also when a layer is missing that must be merged; MANIFEST_INVALID,
 * MANIFEST_UNSUPPORTED, LAYER_REJECTED
 */
export function readImageRoot(repository: string, checksum: Checksum): ImageRoot {
  const commit = readCommit(repository, checksum);
  if (hasMergedRoot(repository, commit)) return readCommitRoot(repository, commit);
  const layers = readLayersOf(repository, commit);
  const { dirtree, dirmeta, created } = mergeStoredLayers(repository, layers);
  return {
    dirtree,
    dirmeta,
    readTree: (tree) => {
      const data = created.get(tree);
      return data === undefined ? readDirTree(repository, tree) : parseDirTree(data);
    },
    listOtherMetas: (path) => [
      ...(path === '' ? [plainDirectory.meta] : []),
      ...layers.flatMap((layer) => findFolderMeta(repository, layer, path) ?? []),
    ],
  };
}

/** Reads the tree of a commit. */
export function readCommitRoot(repository: string, { dirtree, dirmeta }: TreeNode): ImageRoot {
  return { dirtree, dirmeta, readTree: (tree) => readDirTree(repository, tree), listOtherMetas: () => [] };
}

/**
 * Whether the tree of an image's commit is a root filesystem. An image may consist of one file `manifest.json`, so the names
 * alone do not decide: commits of this program have the key `ImageKey.source`, those of the original tool do not.
 *
 * @throws AtomicError STORE_CORRUPT when the tree cannot be read
 */
export function hasMergedRoot(repository: string, { metadata, dirtree }: Commit): boolean {
  if (metadata.has(ImageKey.source)) return true;
  const { files, directories } = readDirTree(repository, dirtree);
  const isOriginal = files.length > 0 && files.every(({ name }) => ORIGINAL_FILE.test(name));
  return directories.length > 0 || !isOriginal;
}

/** @param commit of an image whose layers are not merged yet */
export function readLayersOf(repository: string, commit: Commit): readonly LayerTree[] {
  const { layers } = readImageParts(commit);
  if (layers.length > 0) return readLayerTrees(repository, layers);
  throw new AtomicError('STORE_CORRUPT', 'reading the layers of an image: its commit does not name them', {
    hint: 'Pull the image again: atomic pull IMAGE',
  });
}

/** @throws AtomicError STORE_CORRUPT when a directory of a layer is damaged or missing; LAYER_REJECTED */
export function mergeStoredLayers(repository: string, layers: readonly LayerTree[]): MergedRoot {
  return mergeLayers(layers, (checksum) =>
    readVerifiedObject(formatObjectPath(repository, checksum, 'dirtree'), checksum, 'dirtree'),
  );
}

function findFolderMeta(repository: string, layer: TreeNode, path: string): DirMeta | undefined {
  let folder: TreeNode = layer;
  for (const name of path === '' ? [] : path.split('/')) {
    const found = findFolder(repository, folder, name);
    if (found === undefined) return undefined;
    folder = found;
  }
  const { dirmeta } = folder;
  return tolerateDamage(() => readDirMeta(repository, dirmeta));
}

function findFolder(repository: string, { dirtree }: TreeNode, name: string): TreeNode | undefined {
  const tree = tolerateDamage(() => readDirTree(repository, dirtree));
  return tree?.directories.find((directory) => directory.name === name);
}

/** Builds the error for a checkout of a commit that has only a manifest. */
export function buildUnmerged(commit: Checksum): AtomicError {
  return new AtomicError('STORE_CORRUPT', `reading the commit ${commit}: it holds no root filesystem`, {
    hint: 'Another program stored the image meanwhile; repeat the command.',
  });
}
