/**
 * A filesystem for the stores: an ext4 as an installer of Debian makes it, in a file, with nothing on it. So the numbers
 * do not depend on how that of the machine was made and what was removed there a minute ago: one without a journal, for
 * example, keeps away from inodes that were just deleted, and creating files takes ten times as long.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TemporaryFolder } from '../test/support/temporary.ts';

/** A folder that is removed with its filesystem. */
export interface Folder {
  readonly path: string;
  /** The path of something in the folder. */
  join(...names: string[]): string;
}

/** A sparse file: only written blocks need space on the filesystem of the machine. */
const SIZE = '60G';

/**
 * @param folder on a real filesystem that can write past its page cache, as ext4, XFS and Btrfs do
 * @returns its root; the filesystem is removed when it is unmounted and `folder` is removed
 */
export function mountFilesystem(folder: TemporaryFolder): Folder {
  // podman takes paths of up to 50 characters.
  const [image, path] = [folder.join('filesystem'), folder.join('fs')];
  mkdirSync(path);
  execute('truncate', '--size', SIZE, image);
  // Otherwise the kernel would initialise the filesystem lazily during measurements.
  execute('mkfs.ext4', '-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image);
  // Otherwise each page would be in the page cache twice.
  const device = execute('losetup', '--direct-io=on', '--find', '--show', image).trim();
  try {
    execute('mount', device, path);
  } finally {
    // While it is mounted, this only says that the device shall go with the mount.
    execute('losetup', '--detach', device);
  }
  return { path, join: (...names) => join(path, ...names) };
}

function execute(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' });
}
