import type { Host } from '../host/host.ts';
import { throwIfInterrupted } from '../host/interruption.ts';
import { compareTrees, type TreeDifference, type TreeEntry } from '../ostree/compare-trees.ts';
import { hasSameContent, readDirectoryNode, readFileNode } from './content-objects.ts';
import { type Aspect, type FileChange, type FileNode, listAspects } from './file-change.ts';
import { readImageRoot } from './image-root.ts';

/** Some ten milliseconds of work. */
const PATHS_PER_TURN = 256;

/**
 * Lists what is not the same in the root filesystems of two commits, sorted by path. Reads the repository only; of equal
 * subtrees nothing is read. The caller holds the store's lock shared.
 *
 * Calls are synchronous: a round trip for each would take far longer than the work itself.
 *
 * @throws AtomicError STORE_CORRUPT, STORE_FAILED, INTERRUPTED
 */
export async function compareCommits(
  host: Host,
  before: string,
  after: string,
): Promise<readonly FileChange[]> {
  const { repository } = host.locations;
  const differences = compareTrees(readImageRoot(repository, before), readImageRoot(repository, after));
  host.report({ kind: 'step', text: `Comparing ${differences.length} paths` });
  const changes: FileChange[] = [];
  for (const [index, difference] of differences.entries()) {
    if (index % PATHS_PER_TURN === 0) await letSignalsIn(host);
    changes.push(
      difference.kind === 'changed'
        ? await describeChange(host, difference)
        : describeOneSided(host, difference),
    );
  }
  // Objects can differ where nothing does that a file has: in the mode of a symlink.
  return changes.filter((change) => change.kind !== 'changed' || change.aspects.length > 0);
}

/** Signals arrive only between turns of the event loop. @throws AtomicError INTERRUPTED */
async function letSignalsIn(host: Host): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  throwIfInterrupted(host);
}

function describeOneSided(
  host: Host,
  difference: TreeDifference & { kind: 'added' | 'removed' },
): FileChange {
  const { path } = difference;
  return difference.kind === 'added'
    ? { kind: 'added', path, after: readNode(host, difference.after) }
    : { kind: 'removed', path, before: readNode(host, difference.before) };
}

async function describeChange(
  host: Host,
  difference: TreeDifference & { kind: 'changed' },
): Promise<FileChange> {
  const [before, after] = [readNode(host, difference.before), readNode(host, difference.after)];
  const others = listAspects(before, after, true);
  const isSame =
    canHaveSameContent(before, after, others) && (await isSameContent(host, difference, before.size ?? 0));
  const aspects = isSame ? others : listAspects(before, after, false);
  return { kind: 'changed', path: difference.path, before, after, aspects };
}

function readNode(host: Host, entry: TreeEntry): FileNode {
  return entry.kind === 'directory'
    ? readDirectoryNode(host, entry.dirmeta)
    : readFileNode(host, entry.checksum);
}

/**
 * False for anything but two regular files. The checksum of an object covers content, owner, mode and xattrs, and
 * nothing more: where nothing else changed, the content did. So bytes are read only where they can decide something.
 *
 * @param others what else is not the same
 */
function canHaveSameContent(before: FileNode, after: FileNode, others: readonly Aspect[]): boolean {
  const areFiles = before.type === 'file' && after.type === 'file';
  return areFiles && before.size === after.size && others.length > 0;
}

async function isSameContent(
  host: Host,
  { before, after }: TreeDifference & { kind: 'changed' },
  size: number,
): Promise<boolean> {
  if (before.kind !== 'file' || after.kind !== 'file') return false;
  return hasSameContent(host, [before.checksum, after.checksum], size, () => letSignalsIn(host));
}
