/**
 * Builds the host files of a deployment as they are written to the host: `DEPLOYMENT/host-files` is a tree with the
 * paths of the host. The tree is kept, so that a rollback needs neither the image nor the values.
 */
import { chmodSync, chownSync, lchownSync, linkSync, symlinkSync, writeFileSync } from 'node:fs';
import { withFileErrors } from '../../base/file-error.ts';
import { FileMode, FolderMode } from '../../base/file-mode.ts';
import { listParents, type PlannedHostFile, type PlannedHostFolder } from '../render/hostfiles/host-file.ts';
import { type FolderOwnership, makeFolder } from './open-host-folder.ts';

/** A folder that exists on the host. */
const plainFolder: FolderOwnership = { mode: FolderMode.public, uid: 0, gid: 0 };

/**
 * Builds the tree. Unchanged files of the image are hard links to the repository. The caller syncs the tree.
 *
 * @param root absolute path of the tree, which does not exist yet
 */
export async function stageHostFiles(
  root: string,
  files: readonly PlannedHostFile[],
  folders: readonly PlannedHostFolder[],
): Promise<void> {
  if (files.length === 0) return;
  await withFileErrors(`write ${root}`, async () => {
    makeFolder(root, plainFolder);
    const known = new Map(folders.map((folder) => [folder.path, folder]));
    const parents = new Set(files.flatMap(({ path }) => listParents(path)));
    for (const path of [...parents].sort()) makeFolder(`${root}${path}`, known.get(path) ?? plainFolder);
    for (const file of files) stageFile(`${root}${file.path}`, file);
  });
}

function stageFile(path: string, file: PlannedHostFile): void {
  const { kind, content, target, mode, uid, gid } = file;
  if (kind === 'directory') {
    makeFolder(path, file);
  } else if (kind === 'symlink') {
    symlinkSync(target ?? '', path);
    lchownSync(path, uid, gid);
  } else if (content?.kind === 'object') {
    linkSync(content.object, path);
  } else {
    writeFileSync(path, content?.text ?? '', { flag: 'wx', mode: FileMode.private });
    chownSync(path, uid, gid);
    chmodSync(path, mode);
  }
}
