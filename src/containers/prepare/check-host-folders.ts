/** Checks before the first change that the files of a container fit into the folders of the host. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { toFileError } from '../../base/file-error.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { InstallPlan } from '../container.ts';

/** The symlink that enables a unit, and its folder. */
const inodesOfEnabling = 2;

/** A file that will be written, and its length. */
interface HostWrite {
  readonly path: string;
  readonly size: number;
}

/** The files that a plan writes outside its deployment. */
export function listHostWrites({ files, hostFiles }: InstallPlan): readonly HostWrite[] {
  return [
    ...files
      .filter(({ role }) => role === 'unit' || role === 'tmpfiles')
      .map(({ path, content }) => ({ path, size: Buffer.byteLength(content) })),
    ...hostFiles.map(({ path, size }) => ({ path, size })),
  ];
}

/**
 * Checks that each folder is writable and has space. If other programs use the space meanwhile, the write fails later.
 *
 * @param files the files for the host
 * @throws READ_ONLY, NO_SPACE, STORE_FAILED
 */
export async function checkHostFolders(files: readonly HostWrite[]): Promise<void> {
  const filesystems = new Map<number, { readonly folder: string; readonly files: HostWrite[] }>();
  const folders = new Map<string, number>();
  for (const file of files) {
    const folder = dirname(file.path);
    try {
      const device = folders.get(folder) ?? (await findWritableFilesystem(folder, filesystems));
      folders.set(folder, device);
      filesystems.get(device)?.files.push(file);
    } catch (error) {
      throw toFileError(error, `write to ${folder}`);
    }
  }
  for (const { folder, files: together } of filesystems.values()) {
    try {
      await checkRoom(folder, together);
    } catch (error) {
      throw toFileError(error, `write to ${folder}`);
    }
  }
}

async function findWritableFilesystem(
  folder: string,
  filesystems: Map<number, { readonly folder: string; readonly files: HostWrite[] }>,
): Promise<number> {
  const existing = await findExistingParent(folder);
  await access(existing, constants.W_OK);
  const { dev } = await stat(existing);
  if (!filesystems.has(dev)) filesystems.set(dev, { folder: existing, files: [] });
  return dev;
}

async function findExistingParent(folder: string): Promise<string> {
  let existing = folder;
  while (!(await isNameTaken(existing))) existing = dirname(existing);
  return existing;
}

/** @param files all files that will be written to the filesystem of the folder */
async function checkRoom(folder: string, files: readonly HostWrite[]): Promise<void> {
  const { bsize, blocks, bfree, files: inodes, ffree } = await statfs(folder);
  const blocksNeeded = inodesOfEnabling + files.reduce((sum, { size }) => sum + Math.ceil(size / bsize), 0);
  const inodesNeeded = inodesOfEnabling + files.length;
  // Some filesystems count neither, and report 0 of 0.
  const lacksBlocks = blocks > 0 && bfree < blocksNeeded;
  const lacksInodes = inodes > 0 && ffree < inodesNeeded;
  if (!lacksBlocks && !lacksInodes) return;
  throw new AtomicError(
    'NO_SPACE',
    lacksBlocks
      ? `write to ${folder}: ${blocksNeeded * bsize} bytes are needed, ${bfree * bsize} are free`
      : `write to ${folder}: ${inodesNeeded} files are needed, ${ffree} can be made`,
    { hint: `Free some space there: see \`df ${folder}\` and \`df -i ${folder}\`.` },
  );
}
