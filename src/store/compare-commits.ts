import type { Host } from '../host/host.ts';
import { throwIfInterrupted } from '../host/interruption.ts';
import type { Checksum } from '../image/checksum.ts';
import { compareTrees, type TreeDifference, type TreeEntry } from '../ostree/compare-trees.ts';
import { hasSameContent, readDirectoryNode, readFileNode } from './content-objects.ts';
import { type Aspect, type FileChange, type FileNode, listAspects } from './file-change.ts';
import { readImageRoot } from './image-root.ts';

/** Number of paths between two looks for signals: about ten milliseconds of work. */
const PATHS_PER_TURN = 256;

/**
 * Lists the differences between the root filesystems of two commits, sorted by path. Reads only the repository, and nothing
 * of equal subtrees. The caller holds the store's lock shared.
 *
 * Calls are synchronous, because a round trip to a worker thread for each would take far longer than the work itself.
 *
 * @throws AtomicError STORE_CORRUPT, STORE_FAILED, INTERRUPTED
 */
export async function compareCommits(
  host: Host,
  before: Checksum,
  after: Checksum,
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
  // Objects may differ in the mode of a symlink, which has no meaning.
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
 * Whether the bytes must be compared. The checksum of an object covers content, owner, mode and xattrs: when none of the
 * others changed, the content did. So bytes are read only for two regular files that also differ otherwise.
 *
 * @param others differences other than the content
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
