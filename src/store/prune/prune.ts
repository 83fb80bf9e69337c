/** Removes unused data: first refs of layers, then the objects that no ref and no deployment reaches. */
import { AtomicError } from '../../base/errors.ts';
import { formatArgv } from '../../base/format-argv.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { GErrorThrown } from '../../native/glib.ts';
import { lockRepository } from '../../ostree/library-lock.ts';
import { addReachable, createObjectSet, type ObjectSet } from '../../ostree/reachable-objects.ts';
import { hasRepository, withRepository } from '../../ostree/repository.ts';
import { toStoreError, withStoreErrors } from '../../ostree/store-error.ts';
import { removeRefs } from '../../ostree/write-refs.ts';
import { freeCommits } from './free-commits.ts';
import { type DeploymentNeed, listNeededCommits, type NeededCommits, withOwner } from './needed-commits.ts';
import { removeUnusedScratch } from './scratch-leftovers.ts';

export interface PrunedStore {
  /** Removed refs of layers and configurations, sorted: `ociimage/HEX`. */
  readonly refs: readonly string[];
  readonly objects: number;
  /** Sum of the lengths of the removed objects, in bytes. */
  readonly bytes: number;
  /** Removed paths that crashed commands had left. */
  readonly leftovers: readonly string[];
}

/** `G_IO_ERROR_WOULD_BLOCK`: the time limit for the lock of the repository is over. */
const WOULD_BLOCK = 27;

/**
 * Prunes the repository. The caller holds the store exclusively. Everything is read before the first change. Refs are removed
 * before objects, so a crash leaves objects without a ref, which the next prune removes. Needs no space.
 *
 * @param deployments commits of the installed containers, which stay with their layers
 * @throws AtomicError STORE_CORRUPT with the name of the damaged object, before anything is removed; LOCK_BUSY while another
 * program uses the repository; INTERRUPTED, READ_ONLY, STORE_FAILED
 */
export async function pruneRepository(
  host: Host,
  deployments: readonly DeploymentNeed[],
): Promise<PrunedStore> {
  if (!hasRepository(host)) return { refs: [], objects: 0, bytes: 0, leftovers: [] };
  return withRepository(host, async (repo) => {
    const [{ removeOtherObjects }, { unlockExclusively }] = await withStoreErrors(
      'opening the image store',
      () => Promise.all([import('../../native/ostree-prune.ts'), import('../../native/ostree-lock.ts')]),
    );
    host.report({ kind: 'step', text: 'Locking the image store' });
    await withLockErrors(() => lockRepository(host, repo));
    try {
      const needed = listNeededCommits(host, deployments);
      reportUnknown(host, needed);
      const reachable = await collectReachable(host, needed);
      throwIfInterrupted(host);
      await removeRefs(host, repo, [...needed.unusedBlobs, ...needed.unfinished]);
      for (const ref of needed.unusedBlobs) host.report({ kind: 'notice', text: `Deleting ${ref}` });
      host.report({ kind: 'step', text: 'Freeing objects' });
      const commits = await withStoreErrors('freeing commits', () => freeCommits(host, repo, reachable));
      const rest = await withStoreErrors('freeing objects', () => removeOtherObjects(repo, reachable));
      return {
        refs: needed.unusedBlobs,
        objects: commits.objects + rest.objects,
        bytes: commits.bytes + rest.bytes,
        leftovers: [
          ...needed.unfinished.map((ref) => `${host.locations.repository}/refs/heads/${ref}`),
          ...(await removeUnusedScratch(host)),
        ],
      };
    } finally {
      unlockExclusively(repo);
    }
  });
}

async function collectReachable(host: Host, { roots, blobs }: NeededCommits): Promise<ObjectSet> {
  const { repository } = host.locations;
  const reached = createObjectSet();
  host.report({ kind: 'step', text: 'Reading the objects that are in use' });
  for (const root of [...roots, ...blobs]) {
    withOwner(root, () => addReachable(repository, root.commit, reached));
    // Signals arrive only between turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    throwIfInterrupted(host);
  }
  return reached;
}

function reportUnknown(host: Host, { unknown }: NeededCommits): void {
  const { repository } = host.locations;
  for (const ref of unknown) {
    host.report({
      kind: 'warning',
      text: `${ref} is not the name of an image or a layer; the ref and its objects stay. To remove it: ${formatArgv(buildRemoval(repository, ref))}`,
    });
  }
}

/** `ostree` refuses names with other characters, so their files are removed. */
function buildRemoval(repository: string, ref: string): readonly string[] {
  return /^[\w./-]+$/.test(ref)
    ? ['ostree', 'refs', `--repo=${repository}`, '--delete', ref]
    : ['rm', `${repository}/refs/heads/${ref}`];
}

async function withLockErrors(lock: () => Promise<void>): Promise<void> {
  try {
    await lock();
  } catch (error) {
    if (!(error instanceof GErrorThrown) || error.code !== WOULD_BLOCK) {
      throw toStoreError(error, 'locking the image store');
    }
    throw new AtomicError('LOCK_BUSY', `locking the image store: ${error.message}`, {
      hint: 'Another program writes to the repository: wait until it has ended, and repeat the command.',
    });
  }
}
