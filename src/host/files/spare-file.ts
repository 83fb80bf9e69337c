/**
 * Keeps a file that is about to be replaced under a second name, until the operation is over. To restore it is a rename,
 * which needs no space: the way back must work on a disk that is full.
 */
import { linkSync, lstatSync, renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { withFileErrors } from '../../base/file-error.ts';
import { findText } from './find-file.ts';
import { unlinkIfThere } from './unlink-file.ts';

/** The name is fixed, so that recovery finds the file after a crash. The dot and the suffix hide it from systemd. */
export function sparePath(path: string): string {
  return `${dirname(path)}/.${basename(path)}.spare`;
}

/** Gives a file, or a symlink, its second name. Does nothing when it is missing. @throws file errors */
export async function keepSpare(path: string, spare = sparePath(path)): Promise<void> {
  await withFileErrors(`keep ${path}`, async () => {
    unlinkIfThere(spare);
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) linkSync(path, spare);
  });
}

/** Restores a file if its spare has this text. @returns false when there is no such spare; @throws file errors */
export async function restoreSpare(path: string, text: string): Promise<boolean> {
  const spare = sparePath(path);
  if ((await findText(spare)) !== text) return false;
  await withFileErrors(`restore ${path}`, async () => renameSync(spare, path));
  return true;
}

/** @throws file errors */
export async function dropSpare(spare: string): Promise<void> {
  await withFileErrors(`remove ${spare}`, async () => unlinkIfThere(spare));
}
