/** Checks before the first change that the files of a container fit into the folders of the host. */
import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { toFileError } from '../../base/file-error.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { PlannedFile } from '../container.ts';

/** The symlink that enables a unit, and the folder that it is in. */
const inodesOfEnabling = 2;

/**
 * Checks that each folder is writable and has room. If other programs take the room meanwhile, the write fails later.
 *
 * @param files the files for the host
 * @throws READ_ONLY, NO_SPACE, STORE_FAILED
 */
export async function checkHostFolders(files: readonly PlannedFile[]): Promise<void> {
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
    try {
      const existing = await findExistingParent(folder);
      await access(existing, constants.W_OK);
      await checkRoom(existing, files);
    } catch (error) {
      throw toFileError(error, `write to ${folder}`);
    }
  }
}

async function findExistingParent(folder: string): Promise<string> {
  let existing = folder;
  while (!(await isNameTaken(existing))) existing = dirname(existing);
  return existing;
}

/** Counts all files for every folder: they may be on one filesystem. */
async function checkRoom(folder: string, files: readonly PlannedFile[]): Promise<void> {
  const { bsize, blocks, bfree, files: inodes, ffree } = await statfs(folder);
  const blocksNeeded =
    inodesOfEnabling +
    files.reduce((sum, { content }) => sum + Math.ceil(Buffer.byteLength(content) / bsize), 0);
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
