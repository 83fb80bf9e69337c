/**
 * Commits and refs wait in a separate folder until all objects that they name are on the disk. So no kill and no power
 * cut leaves a commit without its trees, which `ostree fsck` reports as damage, or a ref without its commit.
 *
 * ```
 * REPO/tmp/atomic-waiting/
 *   CHECKSUM.XXXXXXXXXXXX    a commit
 *   XXXXXXXXXXXX             the content of a ref, or a second name of a ref that is being replaced
 * ```
 *
 * Each file belongs to the process that made it. Another process may link the commit of a killed process to a name of its
 * own; it compares the checksum first, because the commit may be incomplete. Prune removes the files that a crash leaves.
 */

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
import { isErrno, tolerateMissing } from '../base/file-error.ts';
import { FileMode, FolderMode } from '../base/file-mode.ts';
import { syncDirectory } from '../host/files/durable-files.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import { type Checksum, finishChecksum } from '../image/checksum.ts';
import { formatObjectPath } from './object-files.ts';
import { type CommitContent, formatCommitPieces } from './ostree-objects.ts';
import { tolerateDamage } from './tolerate-damage.ts';
import { readVerifiedObject } from './verified-object.ts';

const RANDOM_BYTES = 6;

export interface WaitingCommit {
  readonly checksum: Checksum;
  readonly path: string;
}

/** Makes an unused name in the folder of waiting files, and creates the folder. */
export function makeWaitingPath(repository: string, prefix = ''): string {
  const folder = formatFolder(repository);
  mkdirSync(folder, { recursive: true, mode: FolderMode.private });
  return `${folder}/${prefix}${crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)).toHex()}`;
}

/** Writes a commit, without a sync. libostree would copy the data, which may have 10 MB. */
export function writeWaitingCommit(repository: string, commit: CommitContent): WaitingCommit {
  // Iterated twice: a piece is valid only until the next one is requested.
  const pieces = formatCommitPieces(commit);
  const sum = new Bun.CryptoHasher('sha256');
  for (const piece of pieces) sum.update(piece);
  const checksum = finishChecksum(sum);
  const path = makeWaitingPath(repository, `${checksum}.`);
  try {
    writePieces(path, pieces);
  } catch (error) {
    unlinkIfThere(path);
    throw error;
  }
  return { checksum, path };
}

/** Links an intact waiting commit to a name of this process. @returns `undefined` when there is none */
export function takeWaitingCommit(
  repository: string,
  checksum: Checksum,
): (WaitingCommit & { readonly data: Buffer }) | undefined {
  for (const found of listWaiting(repository, checksum)) {
    const data = tolerateDamage(() => readVerifiedObject(found, checksum, 'commit'));
    if (data === undefined) continue;
    const path = makeWaitingPath(repository, `${checksum}.`);
    if (linkIfThere(found, path)) return { checksum, path, data };
  }
  return undefined;
}

/** @returns false when the process that owns the file has moved it into the repository meanwhile */
function linkIfThere(from: string, to: string): boolean {
  const isLinked = tolerateMissing(() => {
    linkSync(from, to);
    return true;
  });
  return isLinked ?? false;
}

/**
 * Moves commits into the repository, over damaged ones of the same checksum, and syncs their names. The caller has synced
 * the filesystem after they were written.
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

/** Removes the waiting files of a commit that the repository has. */
export function forgetWaitingCommit(repository: string, checksum: Checksum): void {
  for (const path of listWaiting(repository, checksum)) unlinkIfThere(path);
}

/**
 * Removes all waiting files. The caller holds the store exclusively, so no transaction needs them.
 *
 * @returns the path of the folder when it had files
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
    // Another pull of the same image has moved the commit and removed the waiting files.
    if (isErrno(error, 'ENOENT') && existsSync(target)) return;
    throw error;
  }
  // A rename onto another hard link of the same file does nothing and keeps both names.
  unlinkIfThere(path);
}

function listWaiting(repository: string, checksum: Checksum): readonly string[] {
  const folder = formatFolder(repository);
  const names = tolerateMissing(() => readdirSync(folder)) ?? [];
  return names.filter((name) => name.startsWith(`${checksum}.`)).map((name) => `${folder}/${name}`);
}

function writePieces(path: string, pieces: Iterable<Buffer>): void {
  const fd = openSync(path, 'wx', FileMode.private);
  try {
    for (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    fchmodSync(fd, FileMode.public);
  } finally {
    closeSync(fd);
  }
}

function formatFolder(repository: string): string {
  return `${repository}/tmp/atomic-waiting`;
}
