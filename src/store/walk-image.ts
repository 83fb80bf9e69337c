/** Lists the entries below a folder of an image, read from the repository. */

import { lstatSync, readlinkSync } from 'node:fs';
import { PERMISSIONS } from '../base/file-mode.ts';
import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import type { StoredImage } from '../image/image.ts';
import { formatObjectPath, readDirMeta } from '../ostree/object-files.ts';
import { type ImageRoot, readImageRoot } from './image-root.ts';

export interface WalkedEntry {
  /** Path below the folder, without a leading slash. */
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Length of a file in bytes. */
  readonly size: number;
  /** The target of a symlink. */
  readonly target: string | undefined;
  /** Absolute path of the object in the repository, which is the file itself; undefined for a folder. */
  readonly object: string | undefined;
  /** Whether a folder has nothing in it. */
  readonly isEmpty: boolean;
}

/**
 * Walks a folder, parents first. No symlink is followed, also not on the way to the folder.
 *
 * @param folder its path in the image
 * @throws AtomicError STORE_CORRUPT
 */
export function* walkImage(host: Host, image: StoredImage, folder: string): Generator<WalkedEntry> {
  const { repository } = host.locations;
  const root = readImageRoot(repository, image.commit);
  let dirtree: Checksum | undefined = root.dirtree;
  for (const name of folder.split('/')) {
    const parent = root.readTree(dirtree);
    dirtree = parent.directories.find((child) => child.name === name)?.dirtree;
    if (dirtree === undefined) return;
  }
  yield* walkTree({ repository, root }, dirtree, '');
}

function* walkTree(
  store: { readonly repository: string; readonly root: ImageRoot },
  dirtree: Checksum,
  prefix: string,
): Generator<WalkedEntry> {
  const { files, directories } = store.root.readTree(dirtree);
  for (const { name, checksum } of files) {
    const object = formatObjectPath(store.repository, checksum, 'file');
    const status = lstatSync(object);
    const isLink = status.isSymbolicLink();
    yield {
      path: `${prefix}${name}`,
      kind: isLink ? 'symlink' : 'file',
      ...{ mode: status.mode & PERMISSIONS, uid: status.uid, gid: status.gid },
      size: isLink ? 0 : status.size,
      target: isLink ? readlinkSync(object) : undefined,
      ...{ object, isEmpty: false },
    };
  }
  for (const { name, dirtree: child, dirmeta } of directories) {
    const { mode, uid, gid } = readDirMeta(store.repository, dirmeta);
    const tree = store.root.readTree(child);
    yield {
      path: `${prefix}${name}`,
      kind: 'directory',
      ...{ mode: mode & PERMISSIONS, uid, gid },
      ...{ size: 0, target: undefined, object: undefined },
      isEmpty: tree.files.length + tree.directories.length === 0,
    };
    yield* walkTree(store, child, `${prefix}${name}/`);
  }
}
