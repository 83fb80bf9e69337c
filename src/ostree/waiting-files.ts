/**
 * Commits and refs wait outside the repository until what they name is there and on the disk: so no kill and no power
 * cut leaves a commit without its trees (`ostree fsck` would call that damage), or a ref without its commit.
 *
 * ```
 * REPO/tmp/atomic-waiting/
 *   CHECKSUM.XXXXXXXXXXXX    a commit
 *   XXXXXXXXXXXX             the content of a ref, or a second name of a ref that is about to be replaced
 * ```
 *
 * Each file belongs to the process that made it. A commit of a process that was killed may be taken up under a name of
 * one's own; its checksum is compared, for a part of it may be missing. Prune removes what a crash has left.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { isErrno } from '../base/file-error.ts';
import { syncDirectory } from '../host/files/durable-files.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import { formatObjectPath } from './object-files.ts';
import { type CommitContent, formatCommitPieces } from './ostree-objects.ts';
import { tolerateDamage } from './tolerate-damage.ts';
import { readVerifiedObject } from './verified-object.ts';

const METADATA_MODE = 0o644;
const RANDOM_BYTES = 6;

export interface WaitingCommit {
  readonly checksum: string;
  readonly path: string;
}

/** Makes a name of which nothing is there yet, in the folder of what waits. */
export function makeWaitingPath(repository: string, prefix = ''): string {
  const folder = formatFolder(repository);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return `${folder}/${prefix}${randomBytes(RANDOM_BYTES).toString('hex')}`;
}

/** Writes a commit, not synced. libostree would copy it, and it may have 10 MB. */
export function writeWaitingCommit(repository: string, commit: CommitContent): WaitingCommit {
  // Gone through twice: a piece is good until the next one is taken.
  const pieces = formatCommitPieces(commit);
  const sum = createHash('sha256');
  for (const piece of pieces) sum.update(piece);
  const checksum = sum.digest('hex');
  const path = makeWaitingPath(repository, `${checksum}.`);
  try {
    writePieces(path, pieces);
  } catch (error) {
    unlinkIfThere(path);
    throw error;
  }
  return { checksum, path };
}

/** Takes up a commit that is whole. @returns `undefined` when there is none */
export function takeWaitingCommit(
  repository: string,
  checksum: string,
): (WaitingCommit & { readonly data: Buffer }) | undefined {
  for (const found of listWaiting(repository, checksum)) {
    const data = tolerateDamage(() => readVerifiedObject(found, checksum, 'commit'));
    if (data === undefined) continue;
    const path = makeWaitingPath(repository, `${checksum}.`);
    if (linkIfThere(found, path)) return { checksum, path, data };
  }
  return undefined;
}

/** @returns false when the process that it belongs to has moved it into the repository meanwhile */
function linkIfThere(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/**
 * Moves commits into the repository, in the place of what may be damaged there, and brings their names to the disk. The
 * caller has synced the filesystem since they were written.
 */
export async function placeCommits(repository: string, commits: Iterable<WaitingCommit>): Promise<void> {
  const folders = new Set<string>();
  for (const commit of commits) {
    const target = formatObjectPath(repository, commit.checksum, 'commit');
    const folder = target.slice(0, target.lastIndexOf('/'));
    if (mkdirSync(folder, { recursive: true }) !== undefined) folders.add(`${repository}/objects`);
    folders.add(folder);
    moveCommit(commit, target);
  }
  for (const folder of folders) await syncDirectory(folder);
}

export function discardCommits(commits: Iterable<WaitingCommit>): void {
  for (const { path } of commits) unlinkIfThere(path);
}

/** Removes what waits of a commit that is in the repository now. */
export function forgetWaitingCommit(repository: string, checksum: string): void {
  for (const path of listWaiting(repository, checksum)) unlinkIfThere(path);
}

/**
 * Removes everything. The caller holds the exclusive lock of the store: no transaction relies on it.
 *
 * @returns the path of the folder when there was anything in it
 */
export function removeWaitingFiles(repository: string): readonly string[] {
  const folder = formatFolder(repository);
  if (!existsSync(folder)) return [];
  const hadFiles = readdirSync(folder).length > 0;
  rmSync(folder, { recursive: true });
  return hadFiles ? [folder] : [];
}

function moveCommit({ path }: WaitingCommit, target: string): void {
  try {
    renameSync(path, target);
  } catch (error) {
    // Another pull of the same image has placed it, and cleaned up.
    if (isErrno(error, 'ENOENT') && existsSync(target)) return;
    throw error;
  }
  // A rename to another name of the same file does nothing, and leaves both.
  unlinkIfThere(path);
}

function listWaiting(repository: string, checksum: string): readonly string[] {
  const folder = formatFolder(repository);
  try {
    const names = readdirSync(folder).filter((name) => name.startsWith(`${checksum}.`));
    return names.map((name) => `${folder}/${name}`);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function writePieces(path: string, pieces: Iterable<Buffer>): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    for (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    fchmodSync(fd, METADATA_MODE);
  } finally {
    closeSync(fd);
  }
}

function formatFolder(repository: string): string {
  return `${repository}/tmp/atomic-waiting`;
}
