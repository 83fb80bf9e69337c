import { compareTrees, type TreeDifference, type TreeEntry } from '../core/compare-trees.ts';
import { type FileChange, type FileNode, listAspects } from '../core/file-change.ts';
import type { Host } from '../host/host.ts';
import { throwIfInterrupted } from '../host/interruption.ts';
import { hasSameContent, readDirectoryNode, readFileNode } from './content-objects.ts';
import { readCommit, readDirTree } from './object-files.ts';

/**
 * Lists what is not the same in the root filesystems of two commits, sorted by path. Reads the repository only; of equal
 * subtrees nothing is read. The caller holds the store's lock shared.
 *
 * @throws AtomicError STORE_CORRUPT, STORE_FAILED, INTERRUPTED
 */
export async function compareCommits(
  host: Host,
  before: string,
  after: string,
): Promise<readonly FileChange[]> {
  const { repository } = host.locations;
  const differences = compareTrees(
    readCommit(repository, before),
    readCommit(repository, after),
    (checksum) => readDirTree(repository, checksum),
  );
  host.report({ kind: 'step', text: `Comparing ${differences.length} paths` });
  const changes: FileChange[] = [];
  for (const difference of differences) {
    throwIfInterrupted(host);
    changes.push(await describeDifference(host, difference));
  }
  // Objects can differ where nothing does that a file has: in the mode of a symlink.
  return changes.filter((change) => change.kind !== 'changed' || change.aspects.length > 0);
}

async function describeDifference(host: Host, difference: TreeDifference): Promise<FileChange> {
  const { path } = difference;
  if (difference.kind === 'added')
    return { kind: 'added', path, after: await readNode(host, difference.after) };
  const before = await readNode(host, difference.before);
  if (difference.kind === 'removed') return { kind: 'removed', path, before };
  const after = await readNode(host, difference.after);
  const isSame = before.size === after.size && (await isSameContent(host, difference, before, after));
  return { kind: 'changed', path, before, after, aspects: listAspects(before, after, isSame) };
}

async function readNode(host: Host, entry: TreeEntry): Promise<FileNode> {
  return entry.kind === 'directory'
    ? readDirectoryNode(host, entry.dirmeta)
    : readFileNode(host, entry.checksum);
}

/** False for anything but two regular files. */
async function isSameContent(
  host: Host,
  difference: TreeDifference & { kind: 'changed' },
  before: FileNode,
  after: FileNode,
): Promise<boolean> {
  if (before.type !== 'file' || after.type !== 'file') return false;
  if (difference.before.kind !== 'file' || difference.after.kind !== 'file') return false;
  return hasSameContent(host, difference.before.checksum, difference.after.checksum);
}
