/**
 * Finds the directories of a layer that its archive implies but does not name. The merge needs them, because such a directory
 * keeps the owner and mode of lower layers. Commits of this program list them. Commits of the original tool do not, but have
 * the record of the archive.
 */

import { gunzipSync } from 'node:zlib';
import { isErrno } from '../base/file-error.ts';
import type { Checksum } from '../image/checksum.ts';
import type { TreeNode } from '../ostree/compare-trees.ts';
import { readDirMeta, readDirTree } from '../ostree/object-files.ts';
import { type Commit, type DirMeta, plainDirectory } from '../ostree/ostree-objects.ts';
import { parseTarSplitLine, TarSplitMalformed } from '../tar/tar-split.ts';
import { BlobKey } from './image-commit.ts';

/** Limit far above any real record, which has some hundred bytes for each file. */
const MAX_RECORD_BYTES = 512 * 1024 * 1024;
const SELINUX = 'security.selinux\0';

/**
 * @returns paths without leading slash, the root as ``
 * @throws AtomicError STORE_CORRUPT when a directory of the layer cannot be read
 */
export function readImpliedDirectories(repository: string, commit: Commit): ReadonlySet<string> {
  const { metadata } = commit;
  const written = metadata.get(BlobKey.impliedDirectories);
  if (written !== undefined) return parseImplied(written);
  if (metadata.has(BlobKey.start) || metadata.has(BlobKey.whiteouts)) return new Set();
  const record = metadata.get(BlobKey.tarSplit);
  const named = record === undefined ? undefined : listNames(record);
  // Without a record, a directory with plain owner and mode counts as implied.
  const isImplied = (path: string, dirmeta: Checksum): boolean =>
    named === undefined ? isPlain(readDirMeta(repository, dirmeta)) : !named.has(path);
  return collectDirectories(repository, commit, isImplied);
}

function parseImplied(text: string): ReadonlySet<string> {
  const paths: unknown = JSON.parse(text);
  return new Set(Array.isArray(paths) ? paths.map(String) : []);
}

/** @returns `undefined` when the record cannot be read */
function listNames(record: string): ReadonlySet<string> | undefined {
  try {
    const text = gunzipSync(Buffer.from(record, 'base64'), { maxOutputLength: MAX_RECORD_BYTES });
    const lines = text.toString('utf8').split('\n');
    const entries = lines.filter((line) => line !== '').map(parseTarSplitLine);
    return new Set(entries.flatMap((entry) => (entry.kind === 'file' ? [cleanName(entry.name)] : [])));
  } catch (error) {
    if (error instanceof TarSplitMalformed || isErrno(error, 'Z_DATA_ERROR')) return undefined;
    throw error;
  }
}

/** `./usr//bin/` is `usr/bin`. */
function cleanName(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function collectDirectories(
  repository: string,
  root: TreeNode,
  isWanted: (path: string, dirmeta: Checksum) => boolean,
): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = ({ dirtree, dirmeta }: TreeNode, path: string): void => {
    if (isWanted(path, dirmeta)) found.add(path);
    for (const directory of readDirTree(repository, dirtree).directories) {
      visit(directory, path === '' ? directory.name : `${path}/${directory.name}`);
    }
  };
  visit(root, '');
  return found;
}

/** Ignores the SELinux label that the original tool gave every directory. */
function isPlain({ uid, gid, mode, xattrs }: DirMeta): boolean {
  const { meta } = plainDirectory;
  const isLabelled = xattrs.every(([name]) => name.toString() === SELINUX);
  return uid === meta.uid && gid === meta.gid && mode === meta.mode && isLabelled;
}
