/**
 * Collects the objects that commits reach, which prune must keep. libostree has such a walk too, but it reads a damaged
 * directory object as an empty one and would free its content. This walk compares the checksum of every commit and directory.
 */

import { existsSync } from 'node:fs';
import { toFileError } from '../base/file-error.ts';
import type { Checksum } from '../image/checksum.ts';
import { VariantMalformed } from './gvariant.ts';
import { formatObjectPath } from './object-files.ts';
import {
  type Commit,
  type DirMeta,
  type DirTree,
  parseCommit,
  parseDirMeta,
  parseDirTree,
  parseParent,
} from './ostree-objects.ts';
import { buildCorrupt, readVerifiedObject } from './verified-object.ts';

/** Checksums by kind of object. */
export interface ObjectSet {
  readonly commit: Set<Checksum>;
  readonly dirtree: Set<Checksum>;
  readonly dirmeta: Set<Checksum>;
  readonly file: Set<Checksum>;
}

export function createObjectSet(): ObjectSet {
  return { commit: new Set(), dirtree: new Set(), dirmeta: new Set(), file: new Set() };
}

/** @throws AtomicError STORE_CORRUPT when it is missing or malformed, or its checksum is wrong */
export function readVerifiedCommit(repository: string, checksum: Checksum): Commit {
  return parseVerified(checksum, 'commit', readVerified(repository, checksum, 'commit'), parseCommit);
}

/** @throws as `readVerifiedCommit` */
export function readVerifiedDirTree(repository: string, checksum: Checksum): DirTree {
  return parseVerified(checksum, 'dirtree', readVerified(repository, checksum, 'dirtree'), parseDirTree);
}

/** @throws as `readVerifiedCommit` */
export function readVerifiedDirMeta(repository: string, checksum: Checksum): DirMeta {
  return parseVerified(checksum, 'dirmeta', readVerified(repository, checksum, 'dirmeta'), parseDirMeta);
}

/**
 * Adds a commit, those of its ancestors that the repository has, and everything that they reach. For a commit that libostree
 * marks as partial, missing objects are no error.
 *
 * @throws AtomicError STORE_CORRUPT when a commit or a directory of it is damaged, STORE_FAILED when the disk cannot be
 * read
 */
export function addReachable(repository: string, checksum: Checksum, reached: ObjectSet): void {
  let next: Checksum | undefined = checksum;
  while (next !== undefined && !reached.commit.has(next)) {
    const data = readVerified(repository, next, 'commit');
    const { dirtree, dirmeta } = parseVerified(next, 'commit', data, parseCommit);
    addTree(repository, dirtree, isPartial(repository, next), reached);
    reached.dirmeta.add(dirmeta);
    reached.commit.add(next);
    const parent: Checksum | undefined = parseVerified(next, 'commit', data, parseParent);
    next = parent !== undefined && isThere(repository, parent) ? parent : undefined;
  }
}

function addTree(repository: string, root: Checksum, isPartialCommit: boolean, reached: ObjectSet): void {
  const pending = [root];
  for (let checksum = pending.pop(); checksum !== undefined; checksum = pending.pop()) {
    if (reached.dirtree.has(checksum)) continue;
    if (isPartialCommit && !existsSync(formatObjectPath(repository, checksum, 'dirtree'))) continue;
    const { files, directories } = readVerifiedDirTree(repository, checksum);
    reached.dirtree.add(checksum);
    for (const file of files) reached.file.add(file.checksum);
    for (const directory of directories) {
      reached.dirmeta.add(directory.dirmeta);
      pending.push(directory.dirtree);
    }
  }
}

/** Whether the repository has a commit. It never has the parents that images of the original tool name. */
function isThere(repository: string, commit: Checksum): boolean {
  return existsSync(formatObjectPath(repository, commit, 'commit'));
}

/** Whether libostree has fetched only a part of a commit. */
function isPartial(repository: string, commit: Checksum): boolean {
  return existsSync(`${repository}/state/${commit}.commitpartial`);
}

function readVerified(
  repository: string,
  checksum: Checksum,
  kind: 'commit' | 'dirtree' | 'dirmeta',
): Buffer {
  const path = formatObjectPath(repository, checksum, kind);
  try {
    return readVerifiedObject(path, checksum, kind);
  } catch (error) {
    throw toFileError(error, `read ${path}`);
  }
}

function parseVerified<T>(checksum: Checksum, kind: string, data: Buffer, parse: (data: Buffer) => T): T {
  try {
    return parse(data);
  } catch (error) {
    if (error instanceof VariantMalformed) throw buildCorrupt(checksum, kind, error.message);
    throw error;
  }
}
