/** Changes refs of images without touching objects. */

import { syncDirectory, syncFile } from '../host/files/durable-files.ts';
import type { Host } from '../host/host.ts';
import { formatImageRef } from '../image/ref-name.ts';
import type { Pointer } from '../native/glib.ts';
import { discardRefs, prepareRef, replaceRef } from './ref-files.ts';
import { withRepository } from './repository.ts';
import { withStoreErrors } from './store-error.ts';

const STEP = 'changing the names of images';

/**
 * Gives a commit a name, or another commit to a name.
 *
 * @param reference with a tag
 */
export async function writeImageName(host: Host, reference: string, commit: string): Promise<void> {
  await writeRef(host, formatImageRef(reference), commit);
}

/** Removes names of images; their layers and objects stay until they are pruned. */
export async function removeImageNames(host: Host, references: readonly string[]): Promise<void> {
  await withRepository(host, (repo) => removeRefs(host, repo, references.map(formatImageRef)));
}

/**
 * Points a ref at a commit. It is on the disk when this returns; when it fails, the ref is as it was.
 *
 * @param ref such as `ociimage/...`
 */
export async function writeRef({ locations }: Host, ref: string, commit: string): Promise<void> {
  const { repository } = locations;
  await withStoreErrors(STEP, async () => {
    const prepared = prepareRef(repository, ref, commit);
    try {
      await syncFile(prepared.path);
      await replaceRef(repository, prepared);
    } catch (error) {
      discardRefs([prepared]);
      throw error;
    }
  });
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
