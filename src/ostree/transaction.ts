import { describeFailure } from '../base/file-error.ts';
import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import { parseRefName, REF_FOLDER } from '../image/ref-name.ts';
import type { Pointer } from '../native/glib.ts';
import { openTransaction } from './library-lock.ts';
import type { CommitContent } from './ostree-objects.ts';
import { discardRefs, type PreparedRef, placeRefs, prepareRef, replaceRef } from './ref-files.ts';
import { withStoreErrors } from './store-error.ts';
import { discardCommits, placeCommits, type WaitingCommit, writeWaitingCommit } from './waiting-files.ts';

/**
 * A transaction of libostree, and the order in which its results become visible:
 *
 * 1. one sync of the filesystem, then all trees and files, by libostree
 * 2. commits
 * 3. refs of layers and configurations
 * 4. refs of images
 *
 * Each step is on the disk before the next one begins. So after a kill or a power cut every commit has its trees, and every
 * image has its layers. The next pull reuses commits without a ref, or prune removes them.
 */
export class Transaction {
  readonly repo: Pointer;
  readonly #host: Host;
  /** Checksum of the commit by ref. */
  readonly #refs = new Map<string, Checksum>();
  readonly #commits: WaitingCommit[] = [];

  constructor(host: Host, repo: Pointer) {
    this.#host = host;
    this.repo = repo;
  }

  /** Writes a commit, which the repository has when the transaction is committed. @returns its checksum */
  writeCommit(content: CommitContent): Checksum {
    const commit = writeWaitingCommit(this.#host.locations.repository, content);
    this.addCommit(commit);
    return commit.checksum;
  }

  /** Adds a commit that is already written. The transaction owns its file from now on. */
  addCommit(commit: WaitingCommit): void {
    this.#commits.push(commit);
  }

  /** Points a ref at a commit when the transaction is committed. @param ref such as `ociimage/...` */
  setRef(ref: string, checksum: Checksum): void {
    this.#refs.set(ref, checksum);
  }

  /** Commits everything up to now and begins a new transaction. */
  async checkpoint(): Promise<void> {
    await this.commit();
    await this.begin();
  }

  async begin(): Promise<void> {
    await openTransaction(this.#host, this.repo);
  }

  async commit(): Promise<void> {
    const { commitTransaction } = await import('../native/ostree.ts');
    const { keepSharedLock, releaseSharedLock } = await import('../native/ostree-lock.ts');
    const { repository } = this.#host.locations;
    const refs: PreparedRef[] = [];
    // No other program may prune the commits before the refs name them.
    keepSharedLock(this.repo);
    try {
      for (const [ref, commit] of this.#refs) refs.push(prepareRef(repository, ref, commit));
      await commitTransaction(this.repo);
      await placeCommits(repository, this.#commits);
      const images = refs.filter(({ ref }) => isImageRef(ref));
      await placeRefs(
        repository,
        refs.filter((ref) => !images.includes(ref)),
      );
      for (const ref of images) await replaceRef(repository, ref);
    } catch (error) {
      discardRefs(refs);
      throw error;
    } finally {
      releaseSharedLock(this.repo);
    }
    this.#refs.clear();
    this.#commits.length = 0;
  }

  /** Discards everything since the last `begin`. */
  async abort(): Promise<void> {
    const { abortTransaction } = await import('../native/ostree.ts');
    abortTransaction(this.repo);
    discardCommits(this.#commits);
  }
}

/**
 * Runs an action in a transaction and commits it. When it returns, its objects and refs are on the disk. After a failure the
 * refs of images are as they were at the last checkpoint of the action.
 *
 * @param step the step in progress: "verbing object", for messages
 * @throws AtomicError NO_SPACE, READ_ONLY, STORE_FAILED; LOCK_BUSY and INTERRUPTED while another program removes objects;
 * errors of the action
 */
export async function withTransaction<T>(
  host: Host,
  repo: Pointer,
  step: string,
  action: (transaction: Transaction) => T | Promise<T>,
): Promise<T> {
  return withStoreErrors(step, async () => {
    const transaction = new Transaction(host, repo);
    await transaction.begin();
    try {
      const result = await action(transaction);
      await transaction.commit();
      return result;
    } catch (error) {
      // The first failure is reported; the next transaction or prune removes the leftovers.
      try {
        await transaction.abort();
      } catch (failure) {
        host.report({
          kind: 'warning',
          text: `${step}: ending the transaction: ${describeFailure(failure)}`,
        });
      }
      throw error;
    }
  });
}

function isImageRef(ref: string): boolean {
  return ref.startsWith(`${REF_FOLDER}/`) && parseRefName(ref.slice(REF_FOLDER.length + 1)).kind === 'image';
}
