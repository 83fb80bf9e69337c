/** Changes refs of images without touching objects. */

import { formatImageRef } from '../core/ref-name.ts';
import { syncDirectory } from '../host/durable-files.ts';
import type { Host } from '../host/host.ts';
import type { Pointer } from '../native/glib.ts';
import { withRepository } from './repository.ts';
import { withStoreErrors } from './store-error.ts';
import { withTransaction } from './transaction.ts';

/**
 * Gives a commit a name, or another commit to a name.
 *
 * @param reference with a tag
 */
export async function writeImageName(host: Host, reference: string, commit: string): Promise<void> {
  await withRepository(host, (repo) =>
    changeRefs(host, repo, new Map([[formatImageRef(reference), commit]])),
  );
}

/** Removes names of images; their layers and objects stay until they are pruned. */
export async function removeImageNames(host: Host, references: readonly string[]): Promise<void> {
  const changes = new Map(references.map((reference) => [formatImageRef(reference), undefined]));
  await withRepository(host, (repo) => changeRefs(host, repo, changes));
}

/**
 * Changes refs in one transaction, which works on a full disk too. It is on the disk when this returns: no object may
 * go before the last ref to it has gone for good.
 *
 * @param changes ref such as `ociimage/...` -> commit; `undefined` removes it
 */
export async function changeRefs(
  host: Host,
  repo: Pointer,
  changes: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  if (changes.size === 0) return;
  const { setRef } = await import('../native/ostree.ts');
  const step = 'changing the names of images';
  await withTransaction(host, repo, step, () => {
    for (const [ref, commit] of changes) setRef(repo, ref, commit);
  });
  await withStoreErrors(step, async () => {
    await syncDirectory(`${host.locations.repository}/refs/heads/ociimage`);
  });
}
