/**
 * Keeps copies of the host files of a deployment of the original, which made none: `DEPLOYMENT/host-files`, as
 * `stage-host-files.ts` builds it. Without them, the way back from an update could not restore the files.
 */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { FolderMode, PERMISSIONS } from '../../base/file-mode.ts';
import { toPrintable } from '../../base/printable.ts';
import { syncFilesystemOf } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { isFolder } from '../read-container.ts';
import type { StagedHostFiles } from './exchange-host-files.ts';
import { isAsRecorded, lookAtHostFile } from './look-at-host-file.ts';
import { withHostFolder } from './open-host-folder.ts';
import { readStagedFiles } from './read-staged-files.ts';

/**
 * Copies the files that are on the host as the deployment wrote them; the others stay as they are in an update. Does
 * nothing when there are copies. The copies are on the disk afterwards.
 *
 * @param folder the active deployment
 * @throws file errors; then the next call starts again
 */
export async function keepHostFiles(host: Host, folder: string, name: string): Promise<void> {
  const staged = await readStagedFiles(host, folder, name);
  if (staged === undefined || staged.record.paths.length === 0 || (await isFolder(staged.root))) return;
  const { root, record } = staged;
  const part = `${root}.new`;
  await removeTree(part);
  await withFileErrors(`write ${part}`, async () => {
    mkdirSync(part, { mode: FolderMode.public });
    for (const path of record.paths) {
      if (!isAsRecorded(await lookAtHostFile(path), path, record)) continue;
      const copy = `${part}${staged.written.get(path) ?? path}`;
      mkdirSync(dirname(copy), { recursive: true, mode: FolderMode.public });
      withHostFolder(path, (held) => copyHostFile(held, copy));
    }
  });
  await syncFilesystemOf(part);
  await withFileErrors(`write ${root}`, async () => renameSync(part, root));
  await syncFilesystemOf(folder);
}

/**
 * Checks that a rollback can restore the host files of a deployment: a deployment of the original has no copies.
 *
 * @throws FILE_CONFLICT
 */
export async function requireKeptFiles(host: Host, folder: string, name: string): Promise<void> {
  const staged = await readStagedFiles(host, folder, name);
  if (staged === undefined || (await isFolder(staged.root))) return;
  for (const path of staged.record.paths) {
    if (isAsRecorded(await lookAtHostFile(path), path, staged.record)) continue;
    throw buildNotKept(staged, path, name);
  }
}

function buildNotKept({ record }: StagedHostFiles, path: string, name: string): AtomicError {
  return new AtomicError(
    'FILE_CONFLICT',
    `rolling back ${name}: the older program that made the other deployment kept no copy of ${toPrintable(path)}`,
    {
      hint: `Update ${name} to the older image: atomic containers update --rebase IMAGE ${name}`,
      details: { path: toPrintable(path), paths: record.paths.map((one) => toPrintable(one)) },
    },
  );
}

function copyHostFile(held: string, copy: string): void {
  const status = lstatSync(held);
  if (status.isSymbolicLink()) {
    symlinkSync(readlinkSync(held), copy);
    lchownSync(copy, status.uid, status.gid);
    return;
  }
  if (status.isDirectory()) mkdirSync(copy, { recursive: true });
  else copyFileSync(held, copy);
  chownSync(copy, status.uid, status.gid);
  chmodSync(copy, status.mode & PERMISSIONS);
}
