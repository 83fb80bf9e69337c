/**
 * Reads the repository as files, without libostree: listing 50 images this way takes less time than loading the
 * library. The layout is OSTree's own, for repositories of the modes `bare` and `bare-user`:
 *
 * ```
 * REPO/
 *   config                              ini file: mode, format version
 *   refs/heads/ociimage/NAME            checksum of a commit, 64 hex digits and a newline
 *   objects/ab/cdef....commit           commit   (metadata objects are serialised GVariants)
 *   objects/ab/cdef....dirtree|dirmeta  directory: its list of children | its owner, mode and xattrs
 *   objects/ab/cdef....file             content: the file itself; what a deployment hard-links
 *   tmp/                                transactions in progress; libostree removes old files after a day
 *   tmp/cache/                          caches, which libostree keeps; see image-cache.ts, layer-contents.ts
 * ```
 */

import { readdirSync, readFileSync } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import { tolerateMissing } from '../base/file-error.ts';
import { type Checksum, isChecksum } from '../image/checksum.ts';
import { REF_FOLDER } from '../image/ref-name.ts';
import { VariantMalformed } from './gvariant.ts';
import {
  type Commit,
  type DirMeta,
  type DirTree,
  parseCommit,
  parseDirMeta,
  parseDirTree,
} from './ostree-objects.ts';

const HEADS = 'heads';
const OBJECT_FOLDER = /^[0-9a-f]{2}$/;
/** The hint for a damaged object. */
export const REPAIR_HINT = 'See what is damaged, and repair it: atomic images verify --repair';

/** Lists the names below `ociimage/`, without that prefix, unsorted. The list is empty without a repository. */
export function listRefNames(repository: string): string[] {
  return tolerateMissing(() => readdirSync(`${repository}/refs/${HEADS}/${REF_FOLDER}`)) ?? [];
}

/**
 * @param ref such as `ociimage/...`
 * @returns checksum of the commit; `undefined` when there is no such ref
 * @throws AtomicError STORE_CORRUPT when the file does not hold a checksum, as after a power cut on some filesystems
 */
export function findRef(repository: string, ref: string): Checksum | undefined {
  return findRefAt(repository, `${HEADS}/${ref}`);
}

/** As `findRef`, for any ref. @param path path below `refs/`, such as `heads/ociimage/...` */
export function findRefAt(repository: string, path: string): Checksum | undefined {
  const text = readOptional(`${repository}/refs/${path}`)?.toString('latin1').trim();
  if (text === undefined) return undefined;
  if (!isChecksum(text)) {
    const isOurs = path.startsWith(`${HEADS}/${REF_FOLDER}/`);
    throw new AtomicError(
      'STORE_CORRUPT',
      `reading the ref ${path.replace(/^heads\//, '')}: it names no commit`,
      { hint: isOurs ? REPAIR_HINT : `Remove ${repository}/refs/${path}; it is not a ref of atomic.` },
    );
  }
  return text;
}

/** Lists the commits that the repository has, also those that no ref names. */
export function listCommits(repository: string): readonly Checksum[] {
  const objects = `${repository}/objects`;
  return readdirSync(objects)
    .filter((folder) => OBJECT_FOLDER.test(folder))
    .flatMap((folder) =>
      readdirSync(`${objects}/${folder}`)
        .filter((name) => name.endsWith('.commit'))
        .map((name) => `${folder}${name.slice(0, -'.commit'.length)}`)
        .filter(isChecksum),
    );
}

/** @throws AtomicError STORE_CORRUPT when it is missing or malformed */
export function readCommit(repository: string, checksum: Checksum): Commit {
  return parseObject(repository, checksum, 'commit', parseCommit);
}

/** @throws AtomicError STORE_CORRUPT when it is missing or malformed */
export function readDirTree(repository: string, checksum: Checksum): DirTree {
  return parseObject(repository, checksum, 'dirtree', parseDirTree);
}

/** @throws AtomicError STORE_CORRUPT when it is missing or malformed */
export function readDirMeta(repository: string, checksum: Checksum): DirMeta {
  return parseObject(repository, checksum, 'dirmeta', parseDirMeta);
}

export function formatObjectPath(repository: string, checksum: Checksum, extension: string): string {
  return `${repository}/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.${extension}`;
}

function parseObject<T>(
  repository: string,
  checksum: Checksum,
  extension: string,
  parse: (data: Buffer) => T,
): T {
  const data = readOptional(formatObjectPath(repository, checksum, extension));
  if (data === undefined) throw corrupt(checksum, extension, 'it is missing');
  try {
    return parse(data);
  } catch (error) {
    if (error instanceof VariantMalformed) throw corrupt(checksum, extension, error.message);
    throw error;
  }
}

function readOptional(path: string): Buffer | undefined {
  return tolerateMissing(() => readFileSync(path));
}

function corrupt(checksum: Checksum, extension: string, reason: string): AtomicError {
  return new AtomicError('STORE_CORRUPT', `reading object ${checksum}.${extension}: ${reason}`, {
    hint: REPAIR_HINT,
  });
}
