/**
 * Links the tree of a commit into a folder, as a checkout of libostree does from a repository of the mode `bare`. libostree
 * opens and describes every object before it links it; this program has the names and checksums already, because it verifies
 * all directories first.
 */
import { closeSync, constants, lstatSync, mkdirSync, openSync } from 'node:fs';
import { FolderMode } from '../../base/file-mode.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import type { Checksum } from '../../image/checksum.ts';
import type { TreeNode } from '../../ostree/compare-trees.ts';
import { formatObjectPath } from '../../ostree/object-files.ts';
import type { DirMeta, DirTree } from '../../ostree/ostree-objects.ts';
import {
  readVerifiedCommit,
  readVerifiedDirMeta,
  readVerifiedDirTree,
} from '../../ostree/reachable-objects.ts';
import { buildCorrupt } from '../../ostree/verified-object.ts';
import { applyBareMeta } from '../layer/apply-meta.ts';
import { linkOrCopy } from '../layer/link-or-copy.ts';

const openFolder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Longer paths continue from a descriptor, because the kernel takes no path of 4096 bytes. */
const MAX_PATH_BYTES = 2048;
/** Files and directories between two looks for a signal. */
const ENTRIES_AT_ONCE = 1000;

/** The directories of a commit, each read once. */
export interface VerifiedTree {
  readonly root: TreeNode;
  readonly trees: ReadonlyMap<Checksum, DirTree>;
  readonly metas: ReadonlyMap<Checksum, DirMeta>;
}

/** @throws AtomicError STORE_CORRUPT when the commit or a directory is missing or damaged, STORE_FAILED */
export function readVerifiedTree(repository: string, commit: Checksum): VerifiedTree {
  const root = readVerifiedCommit(repository, commit);
  const trees = new Map<Checksum, DirTree>();
  const metas = new Map([[root.dirmeta, readVerifiedDirMeta(repository, root.dirmeta)]]);
  const pending = [root.dirtree];
  for (let checksum = pending.pop(); checksum !== undefined; checksum = pending.pop()) {
    if (trees.has(checksum)) continue;
    const tree = readVerifiedDirTree(repository, checksum);
    trees.set(checksum, tree);
    for (const { name } of [...tree.files, ...tree.directories]) requirePlainName(checksum, name);
    for (const { dirtree, dirmeta } of tree.directories) {
      if (!metas.has(dirmeta)) metas.set(dirmeta, readVerifiedDirMeta(repository, dirmeta));
      pending.push(dirtree);
    }
  }
  return { root, trees, metas };
}

/** Another program may have written the object, and a name must not lead out of the checkout. */
function requirePlainName(dirtree: Checksum, name: string): void {
  if (name !== '' && name !== '.' && name !== '..' && !name.includes('/')) return;
  throw buildCorrupt(dirtree, 'dirtree', 'it has a name that no file can have');
}

/**
 * Owner, mode and attributes of a directory are set after its content exists, so that no file inherits its default ACL.
 *
 * @param destination absolute path that does not exist, in a folder that no other process changes
 * @throws AtomicError STORE_CORRUPT when a content object is missing, INTERRUPTED; failed system calls
 */
export async function linkTree(
  host: Host,
  { root, trees, metas }: VerifiedTree,
  destination: string,
): Promise<void> {
  const { repository } = host.locations;
  let entries = 0;
  const lookForSignal = async (): Promise<void> => {
    entries += 1;
    if (entries % ENTRIES_AT_ONCE > 0) return;
    await new Promise((resolve) => setImmediate(resolve));
    throwIfInterrupted(host);
  };
  const link = async (checksum: Checksum, path: string): Promise<void> => {
    const object = formatObjectPath(repository, checksum, 'file');
    try {
      await linkOrCopy(object, path);
    } catch (error) {
      const isThere = lstatSync(object, { throwIfNoEntry: false }) !== undefined;
      if (!isThere) throw buildCorrupt(checksum, 'file', 'it is missing');
      throw error;
    }
    await lookForSignal();
  };
  const fill = async (node: TreeNode, folder: string): Promise<void> => {
    const tree = trees.get(node.dirtree);
    const meta = metas.get(node.dirmeta);
    if (tree === undefined || meta === undefined) throw new Error('a directory that was not read');
    await lookForSignal();
    mkdirSync(folder, FolderMode.private);
    await withShortPath(folder, async (path) => {
      for (const { name, checksum } of tree.files) await link(checksum, `${path}/${name}`);
      for (const directory of tree.directories) await fill(directory, `${path}/${directory.name}`);
    });
    applyBareMeta(folder, meta);
  };
  await fill(root, destination);
}

async function withShortPath(folder: string, action: (path: string) => Promise<void>): Promise<void> {
  if (Buffer.byteLength(folder) <= MAX_PATH_BYTES) return action(folder);
  const fd = openSync(folder, openFolder);
  try {
    await action(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
