/** Changes refs of images without touching objects. */

import { formatImageRef } from '../core/ref-name.ts';
import { syncDirectory } from '../host/durable-files.ts';
import type { Host } from '../host/host.ts';
import type { Pointer } from '../native/glib.ts';
import { withRepository } from './repository.ts';
import { withStoreErrors } from './store-error.ts';
import { withTransaction } from './transaction.ts';

const STEP = 'changing the names of images';

/**
 * Gives a commit a name, or another commit to a name.
 *
 * @param reference with a tag
 */
export async function writeImageName(host: Host, reference: string, commit: string): Promise<void> {
  await withRepository(host, (repo) => writeRef(host, repo, formatImageRef(reference), commit));
}

/** Removes names of images; their layers and objects stay until they are pruned. */
export async function removeImageNames(host: Host, references: readonly string[]): Promise<void> {
  await withRepository(host, (repo) => removeRefs(host, repo, references.map(formatImageRef)));
}

/**
 * Points a ref at a commit. It is on the disk when this returns.
 *
 * @param ref such as `ociimage/...`
 */
export async function writeRef(host: Host, repo: Pointer, ref: string, commit: string): Promise<void> {
  const { setRef } = await import('../native/ostree.ts');
  await withTransaction(host, repo, STEP, () => setRef(repo, ref, commit));
  await syncRefs(host);
}

/**
 * Removes refs, one after another and each whole: a crash leaves those that were not reached. Needs no space, so that a
 * full disk can be emptied; a transaction would make a folder first. That they are gone is on the disk when this
 * returns: no object may go before the last ref to it has gone for good.
 *
 * @param refs such as `ociimage/...`
 */
export async function removeRefs(host: Host, repo: Pointer, refs: readonly string[]): Promise<void> {
  if (refs.length === 0) return;
  const { removeRef } = await import('../native/ostree.ts');
  await withStoreErrors(STEP, () => {
    for (const ref of refs) removeRef(repo, ref);
  });
  await syncRefs(host);
}

async function syncRefs({ locations }: Host): Promise<void> {
  await withStoreErrors(STEP, () => syncDirectory(`${locations.repository}/refs/heads/ociimage`));
}
