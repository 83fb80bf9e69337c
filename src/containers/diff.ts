import type { Host } from '../host/host.ts';
import { withReadableStore } from '../store/access/store-lock.ts';
import { compareCommits } from '../store/compare-commits.ts';
import type { FileChange } from '../store/file-change.ts';
import { type NamedRoot, readRoot } from './find-root.ts';

/** Two root filesystems and what is not the same in them, sorted by path. */
interface RootDiff {
  readonly before: NamedRoot;
  readonly after: NamedRoot;
  readonly changes: readonly FileChange[];
}

/**
 * Compares two images, containers or deployments. For a container this is what it was installed from: whether its files
 * are still so is another question.
 *
 * @param before what a person typed, as for `readRoot`
 * @throws AtomicError what `readRoot` and `compareCommits` throw
 */
export async function diffRoots(host: Host, before: string, after: string): Promise<RootDiff> {
  return withReadableStore(host, async () => {
    const roots = { before: await readRoot(host, before), after: await readRoot(host, after) };
    return { ...roots, changes: await compareCommits(host, roots.before.commit, roots.after.commit) };
  });
}
