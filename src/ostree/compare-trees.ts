/** Compares two root filesystems by their directory objects; equal subtrees have equal checksums. */

import { compareUtf8 } from '../base/compare-utf8.ts';
import type { Checksum } from '../image/checksum.ts';
import type { DirTree } from './ostree-objects.ts';

/** Checksums of a directory: of its list of children, and of its owner, mode and xattrs. */
export interface TreeNode {
  readonly dirtree: Checksum;
  readonly dirmeta: Checksum;
}

/** A root directory with a function that reads the directories below it. */
export interface ReadableTree extends TreeNode {
  /** Reads the dirtree object of a checksum. */
  readonly readTree: (checksum: Checksum) => DirTree;
}

/** The object at a path. The checksum of a file covers its content, owner, mode and xattrs. */
export type TreeEntry =
  | { readonly kind: 'directory'; readonly dirmeta: Checksum }
  /** A regular file or a symlink. */
  | { readonly kind: 'file'; readonly checksum: Checksum };

export type TreeDifference =
  | { readonly kind: 'added'; readonly path: string; readonly after: TreeEntry }
  | { readonly kind: 'removed'; readonly path: string; readonly before: TreeEntry }
  | {
      readonly kind: 'changed';
      readonly path: string;
      readonly before: TreeEntry;
      readonly after: TreeEntry;
    };

/**
 * Lists every path that is in one tree only or differs between both. Equal subtrees are not read.
 *
 * @returns absolute paths, sorted by their bytes; the root is `/`
 */
export function compareTrees(before: ReadableTree, after: ReadableTree): readonly TreeDifference[] {
  const found: TreeDifference[] = [];
  const visit = (path: string, old: Child | undefined, now: Child | undefined): void => {
    const difference = compareEntries(path === '' ? '/' : path, old?.entry, now?.entry);
    if (difference !== undefined) found.push(difference);
    if (old?.dirtree === now?.dirtree) return;
    const oldChildren = listChildren(old, before.readTree);
    const nowChildren = listChildren(now, after.readTree);
    for (const name of new Set([...oldChildren.keys(), ...nowChildren.keys()])) {
      visit(`${path}/${name}`, oldChildren.get(name), nowChildren.get(name));
    }
  };
  visit('', toDirectory(before), toDirectory(after));
  return found.sort((a, b) => compareUtf8(a.path, b.path));
}

interface Child {
  readonly entry: TreeEntry;
  /** Checksum of the children of a directory; `undefined` for a file. */
  readonly dirtree: Checksum | undefined;
}

function compareEntries(
  path: string,
  before: TreeEntry | undefined,
  after: TreeEntry | undefined,
): TreeDifference | undefined {
  if (before === undefined) return after && { kind: 'added', path, after };
  if (after === undefined) return { kind: 'removed', path, before };
  return identify(before) === identify(after) ? undefined : { kind: 'changed', path, before, after };
}

function identify(entry: TreeEntry): string {
  return entry.kind === 'directory' ? `directory ${entry.dirmeta}` : `file ${entry.checksum}`;
}

function listChildren(parent: Child | undefined, read: (checksum: Checksum) => DirTree): Map<string, Child> {
  if (parent?.dirtree === undefined) return new Map();
  const { files, directories } = read(parent.dirtree);
  return new Map([
    ...files.map(({ name, checksum }) => [name, toFile(checksum)] as const),
    ...directories.map((directory) => [directory.name, toDirectory(directory)] as const),
  ]);
}

function toFile(checksum: Checksum): Child {
  return { entry: { kind: 'file', checksum }, dirtree: undefined };
}

function toDirectory({ dirtree, dirmeta }: TreeNode): Child {
  return { entry: { kind: 'directory', dirmeta }, dirtree };
}
