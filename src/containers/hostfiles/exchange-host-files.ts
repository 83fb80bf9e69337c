/**
 * Replaces the host files of one deployment by those of another; an install has no old files, an uninstall has no new
 * files. A file on the host that differs from the record of a deployment is neither replaced nor removed. Every step
 * may be repeated from any point, in both directions: completed steps are recognized by the content of the files.
 */
import { chmodSync, lchownSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { withFileErrors } from '../../base/file-error.ts';
import { PERMISSIONS } from '../../base/file-mode.ts';
import { toPrintable } from '../../base/printable.ts';
import { syncFilesystemsOf } from '../../host/files/durable-files.ts';
import { removeFolderIfEmpty } from '../../host/files/remove-tree.ts';
import { unlinkIfThere } from '../../host/files/unlink-file.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import type { InstallPlan } from '../container.ts';
import { type HostFilesRecord, listParents } from '../render/hostfiles/host-file.ts';
import { isAsRecorded, lookAtHostFile } from './look-at-host-file.ts';
import { type FolderOwnership, makeFolder, withHostFolder, withMadeHostFolder } from './open-host-folder.ts';
import {
  moveToSpare,
  partOf,
  placeNew,
  placeSpare,
  removeBeside,
  replaceHostFile,
  spareOf,
} from './place-host-file.ts';
import type { ResolvedRecord } from './recorded-paths.ts';

/** The host files of a deployment. */
export interface StagedHostFiles extends ResolvedRecord {
  /** Path of the tree with the copies; its paths are those of `info`. */
  readonly root: string;
}

export interface ExchangeResult {
  readonly created: readonly string[];
  /** Paths of old files that were changed after they were written; they stay. */
  readonly modified: readonly string[];
  /** Paths at which the host has another file. */
  readonly taken: readonly string[];
}

/**
 * Exchanges the files, and syncs each filesystem.
 *
 * @param from the files that may be on the host now
 * @param to the files on the host afterwards
 * @param keepsSpares keeps the old files beside the new ones until `dropHostSpares`: then to exchange them again needs no
 *   space. Otherwise the spares of an exchange that is undone are used and removed
 * @throws FILE_CONFLICT when a file is at the path of a folder; file errors
 */
export async function exchangeHostFiles(
  host: Host,
  from: readonly StagedHostFiles[],
  to: StagedHostFiles | undefined,
  keepsSpares = false,
): Promise<ExchangeResult> {
  const records = from.map(({ record }) => record);
  const result = { created: [] as string[], modified: [] as string[], taken: [] as string[] };
  const wanted = new Set(to?.record.paths);
  const old = [...new Set(records.flatMap(({ paths }) => paths))];
  const touched = new Set([...old, ...wanted]);
  if (touched.size === 0) return result;
  // The longest path first, so that the content of a folder is removed before the folder.
  for (const path of old.filter((one) => !wanted.has(one)).sort(byLength)) {
    // A folder that becomes a file must be empty.
    const keepsSpare = keepsSpares && !listParents(path).some((folder) => wanted.has(folder));
    if (!(await removeHostFile(path, records, keepsSpare))) result.modified.push(path);
  }
  await removeFolders(records, to);
  for (const path of to?.record.paths ?? []) {
    if (to === undefined) break;
    throwIfInterrupted(host);
    const outcome = await placeHostFile(path, from, to, keepsSpares);
    if (outcome !== 'present') result[outcome].push(path);
  }
  if (!keepsSpares) for (const path of touched) await removeBeside(spareOf(path));
  await syncFilesystemsOf([...touched].map((path) => dirname(path)));
  return result;
}

/** Removes what an exchange that keeps spares has left for the way back. May be repeated. */
export async function dropHostSpares(from: StagedHostFiles, to: StagedHostFiles | undefined): Promise<void> {
  const { paths } = from.record;
  if (paths.length === 0) return;
  for (const path of paths) await removeBeside(spareOf(path));
  await removeFolders([from.record], to);
  await syncFilesystemsOf(paths.map((path) => dirname(path)));
}

/** Folders with files of a person, and with spares, stay. */
async function removeFolders(
  records: readonly HostFilesRecord[],
  to: StagedHostFiles | undefined,
): Promise<void> {
  const wanted = new Set(to?.record.folders);
  for (const folder of [...new Set(records.flatMap(({ folders }) => folders))].sort(byLength)) {
    if (!wanted.has(folder)) await removeEmptyFolder(folder);
  }
}

/** Reports the changes, each path once, in the words of the original. */
export function reportExchange(host: Host, { created, modified, taken }: ExchangeResult): void {
  const lines = [
    ...modified.map((path) => `Will not delete ${path} as it was manually modified.`),
    ...taken.map((path) => `File ${path} already exists`),
    ...created.map((path) => `Created file ${path}`),
  ];
  for (const line of lines) host.report({ kind: 'notice', text: toPrintable(line) });
}

/** Reports the files that a removal has left. */
export function reportLeftFiles(host: Host, { modified }: ExchangeResult): void {
  reportExchange(host, { created: [], modified, taken: [] });
}

/** As `reportExchange`, with the files that the plan has found to belong to the host. */
export function reportPlacedFiles(host: Host, plan: InstallPlan, result: ExchangeResult): void {
  const known = new Set(plan.record.hostFiles.paths);
  const foreign = plan.keptFiles.filter((path) => !known.has(path));
  reportExchange(host, { ...result, taken: [...foreign, ...result.taken] });
}

function byLength(first: string, second: string): number {
  return second.length - first.length || (first < second ? -1 : 1);
}

/** @returns false when the file stays, because it was changed after it was written */
async function removeHostFile(
  path: string,
  records: readonly HostFilesRecord[],
  keepsSpare: boolean,
): Promise<boolean> {
  await removeBeside(partOf(path));
  const found = await lookAtHostFile(path);
  if (found.kind === 'missing') return true;
  if (!records.some((record) => isAsRecorded(found, path, record))) return false;
  if (found.kind === 'directory') {
    await removeEmptyFolder(path);
    return true;
  }
  const remove = keepsSpare ? moveToSpare : unlinkIfThere;
  await withFileErrors(`remove ${path}`, async () => withHostFolder(path, remove));
  return true;
}

/** A folder with files of a person stays. */
async function removeEmptyFolder(path: string): Promise<void> {
  await withFileErrors(`remove folder ${path}`, async () => withHostFolder(path, removeFolderIfEmpty));
}

async function placeHostFile(
  path: string,
  from: readonly StagedHostFiles[],
  to: StagedHostFiles,
  keepsSpare: boolean,
): Promise<'present' | 'created' | 'modified' | 'taken'> {
  await removeBeside(partOf(path));
  const found = await lookAtHostFile(path);
  if (found.kind !== 'missing') {
    if (isAsRecorded(found, path, to.record)) {
      takeOwnership(path, from, to);
      return 'present';
    }
    if (!from.some(({ record }) => isAsRecorded(found, path, record))) {
      return from.some(({ record }) => record.paths.includes(path)) ? 'modified' : 'taken';
    }
    if (found.kind === 'directory') await removeEmptyFolder(path);
  }
  const spare = spareOf(path);
  if (!keepsSpare && isAsRecorded(await lookAtHostFile(spare), path, to.record))
    return (await placeSpare(path, spare, found.kind === 'missing')) ? 'created' : 'taken';
  const staged = findCopy(to, path);
  // The copies of a deployment of the original lack a file that was not on the host as it was installed.
  if (lstatSync(staged, { throwIfNoEntry: false }) === undefined) return 'modified';
  return withFileErrors(`write ${path}`, async () =>
    withMadeHostFolder(
      path,
      (folder) => readOwnership(findCopy(to, folder)),
      (held) => {
        if (lstatSync(staged).isDirectory()) makeFolder(held, readOwnership(staged));
        else if (found.kind === 'missing') return placeNew(staged, held) ? 'created' : 'taken';
        else replaceHostFile(staged, held, keepsSpare);
        return 'created';
      },
    ),
  );
}

function findCopy({ root, written }: StagedHostFiles, path: string): string {
  return `${root}${written.get(path) ?? path}`;
}

/**
 * Gives a file or folder whose content stays the owner and mode of the other deployment. It keeps those that a person has
 * changed.
 */
function takeOwnership(path: string, from: readonly StagedHostFiles[], to: StagedHostFiles): void {
  const wanted = findOwnership(findCopy(to, path));
  if (wanted === undefined) return;
  withHostFolder(path, (held) => {
    const found = findOwnership(held);
    if (found === undefined || isSameOwnership(found, wanted)) return;
    const isOurs = from.some((old) => {
      const former = findOwnership(findCopy(old, path));
      return former !== undefined && isSameOwnership(found, former);
    });
    if (!isOurs) return;
    lchownSync(held, wanted.uid, wanted.gid);
    if (!lstatSync(held).isSymbolicLink()) chmodSync(held, wanted.mode);
  });
}

function isSameOwnership(first: FolderOwnership, second: FolderOwnership): boolean {
  return first.mode === second.mode && first.uid === second.uid && first.gid === second.gid;
}

function findOwnership(path: string): FolderOwnership | undefined {
  return lstatSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readOwnership(path);
}

function readOwnership(path: string): FolderOwnership {
  const { mode, uid, gid } = lstatSync(path);
  return { mode: mode & PERMISSIONS, uid, gid };
}
