import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import { withReadableStore } from '../store/access/store-lock.ts';
import { compareCommits } from '../store/compare-commits.ts';
import type { FileChange } from '../store/file-change.ts';
import { type NamedRoot, readRoot } from './find-root.ts';
import { requireCommit } from './info-file.ts';

/** Two root filesystems, and their differences sorted by path. */
interface RootDiff {
  readonly before: NamedRoot;
  readonly after: NamedRoot;
  readonly changes: readonly FileChange[];
}

/**
 * Compares two images, containers or deployments. For a container it compares the image that it was installed from, not
 * its files; `images verify` checks the files.
 *
 * @param before a name as for `readRoot`
 * @throws AtomicError as `readRoot` and `compareCommits`
 */
export async function diffRoots(host: Host, before: string, after: string): Promise<RootDiff> {
  return withReadableStore(host, async () => {
    const roots = { before: await readRoot(host, before), after: await readRoot(host, after) };
    return { ...roots, changes: await compareCommits(host, commitOf(roots.before), commitOf(roots.after)) };
  });
}

function commitOf({ name, commit }: NamedRoot): Checksum {
  return requireCommit(commit, name);
}
