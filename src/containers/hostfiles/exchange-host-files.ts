/**
 * The host files of one deployment in the place of those of another: an install has no old ones, an uninstall no new ones.
 * What is on the host and is not as a deployment has put it there is neither replaced nor removed. Every step may be
 * repeated, from any point of it, in both directions: what was done is recognized by its content.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  lchownSync,
  linkSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { isErrno, withFileErrors } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import { syncFilesystemsOf } from '../../host/files/durable-files.ts';
import { unlinkIfThere } from '../../host/files/unlink-file.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import type { InstallPlan } from '../container.ts';
import type { HostFilesRecord } from '../render/hostfiles/host-file.ts';
import { isAsRecorded, lookAtHostFile } from './look-at-host-file.ts';
import { type FolderOwnership, makeFolder, withHostFolder, withMadeHostFolder } from './open-host-folder.ts';

/** The host files of a deployment, and where its tree of them is. */
export interface StagedHostFiles {
  readonly root: string;
  readonly record: HostFilesRecord;
}

export interface ExchangeResult {
  readonly created: readonly string[];
  /** Paths of old files that are not as they were placed; they stay. */
  readonly modified: readonly string[];
  /** Paths where the host has something else. */
  readonly taken: readonly string[];
}

/**
 * Exchanges the files, and brings that to the disk, on each filesystem.
 *
 * @param from what may be on the host now
 * @param to what is there afterwards
 * @throws FILE_CONFLICT when something that is no folder is in the way of one; file errors
 */
export async function exchangeHostFiles(
  host: Host,
  from: readonly HostFilesRecord[],
  to: StagedHostFiles | undefined,
): Promise<ExchangeResult> {
  const result = { created: [] as string[], modified: [] as string[], taken: [] as string[] };
  const wanted = new Set(to?.record.paths);
  const old = [...new Set(from.flatMap(({ paths }) => paths))];
  const touched = new Set([...old, ...wanted]);
  if (touched.size === 0) return result;
  // The longest first: what is in a folder goes before the folder.
  for (const path of old.filter((one) => !wanted.has(one)).sort(byLength)) {
    if (!(await removeHostFile(path, from))) result.modified.push(path);
  }
  const folders = new Set(to?.record.folders);
  for (const folder of [...new Set(from.flatMap((record) => record.folders))].sort(byLength)) {
    if (!folders.has(folder)) await removeEmptyFolder(folder);
  }
  for (const path of to?.record.paths ?? []) {
    if (to === undefined) break;
    throwIfInterrupted(host);
    const outcome = await placeHostFile(path, from, to);
    if (outcome !== 'present') result[outcome].push(path);
  }
  await syncFilesystemsOf([...touched].map((path) => dirname(path)));
  return result;
}

/** Says what was done, each path once, in the words of the original. */
export function reportExchange(host: Host, { created, modified, taken }: ExchangeResult): void {
  const lines = [
    ...modified.map((path) => `Will not delete ${path} as it was manually modified.`),
    ...taken.map((path) => `File ${path} already exists`),
    ...created.map((path) => `Created file ${path}`),
  ];
  for (const line of lines) host.report({ kind: 'notice', text: toPrintable(line) });
}

/** Says what a removal has left. */
export function reportLeftFiles(host: Host, { modified }: ExchangeResult): void {
  reportExchange(host, { created: [], modified, taken: [] });
}

/** As `reportExchange`, after what the plan has found to be the host's own. */
export function reportPlacedFiles(host: Host, plan: InstallPlan, result: ExchangeResult): void {
  const known = new Set(plan.record.hostFiles.paths);
  const foreign = plan.keptFiles.filter((path) => !known.has(path));
  reportExchange(host, { ...result, taken: [...foreign, ...result.taken] });
}

function byLength(first: string, second: string): number {
  return second.length - first.length || (first < second ? -1 : 1);
}

/** @returns false when it stays, because it is not as it was placed */
async function removeHostFile(path: string, records: readonly HostFilesRecord[]): Promise<boolean> {
  await removePart(path);
  const found = await lookAtHostFile(path);
  if (found.kind === 'missing') return true;
  if (!records.some((record) => isAsRecorded(found, path, record))) return false;
  if (found.kind === 'directory') {
    await removeEmptyFolder(path);
    return true;
  }
  await withFileErrors(`remove ${path}`, async () => withHostFolder(path, unlinkIfThere));
  return true;
}

/** What a person has put into a folder keeps it. */
async function removeEmptyFolder(path: string): Promise<void> {
  await withFileErrors(`remove folder ${path}`, async () =>
    withHostFolder(path, (held) => {
      try {
        rmdirSync(held);
      } catch (error) {
        if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EBUSY'].some((code) => isErrno(error, code))) {
          throw error;
        }
      }
    }),
  );
}

async function placeHostFile(
  path: string,
  from: readonly HostFilesRecord[],
  { root, record }: StagedHostFiles,
): Promise<'present' | 'created' | 'modified' | 'taken'> {
  await removePart(path);
  const found = await lookAtHostFile(path);
  if (found.kind !== 'missing') {
    if (isAsRecorded(found, path, record)) return 'present';
    if (!from.some((old) => isAsRecorded(found, path, old))) {
      return from.some(({ paths }) => paths.includes(path)) ? 'modified' : 'taken';
    }
    if (found.kind === 'directory') await removeEmptyFolder(path);
  }
  return withFileErrors(`write ${path}`, async () =>
    withMadeHostFolder(
      path,
      (folder) => readOwnership(`${root}${folder}`),
      (held) => {
        const staged = `${root}${path}`;
        if (lstatSync(staged).isDirectory()) makeFolder(held, readOwnership(staged));
        else if (found.kind === 'missing') return placeNew(staged, held) ? 'created' : 'taken';
        else replace(staged, held);
        return 'created';
      },
    ),
  );
}

function readOwnership(folder: string): FolderOwnership {
  const { mode, uid, gid } = lstatSync(folder);
  return { mode: mode & 0o7777, uid, gid };
}

/** @returns false when something has come there meanwhile */
function placeNew(staged: string, held: string): boolean {
  const part = writePart(staged, held);
  try {
    linkSync(part, held);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    unlinkIfThere(part);
  }
}

function replace(staged: string, held: string): void {
  const part = writePart(staged, held);
  try {
    renameSync(part, held);
  } finally {
    unlinkIfThere(part);
  }
}

/** The name under which a host file is written; it is fixed, so that what a crash leaves is known. */
function partOf(path: string): string {
  return `${dirname(path)}/.${basename(path)}.atomic-part`;
}

/** A whole copy beside the place, with owner and mode, on the disk. */
function writePart(staged: string, held: string): string {
  const part = partOf(held);
  const { mode, uid, gid } = lstatSync(staged);
  try {
    if (lstatSync(staged).isSymbolicLink()) {
      symlinkSync(readlinkSync(staged), part);
      lchownSync(part, uid, gid);
      return part;
    }
    copyFileSync(staged, part, constants.COPYFILE_EXCL);
    chownSync(part, uid, gid);
    chmodSync(part, mode & 0o7777);
    syncPart(part);
    return part;
  } catch (error) {
    unlinkIfThere(part);
    throw error;
  }
}

function syncPart(part: string): void {
  const file = openSync(part, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

async function removePart(path: string): Promise<void> {
  await withFileErrors(`remove ${partOf(path)}`, async () => withHostFolder(partOf(path), unlinkIfThere));
}
