/** Changes refs of images. Objects stay as they are. */

import { syncDirectory, syncFile } from '../host/files/durable-files.ts';
import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import { formatImageRef } from '../image/ref-name.ts';
import type { Pointer } from '../native/glib.ts';
import { discardRefs, prepareRef, replaceRef } from './ref-files.ts';
import { withRepository } from './repository.ts';
import { withStoreErrors } from './store-error.ts';

const STEP = 'changing the names of images';

/**
 * Points the name of an image at a commit.
 *
 * @param reference name with a tag
 */
export async function writeImageName(host: Host, reference: string, commit: Checksum): Promise<void> {
  await writeRef(host, formatImageRef(reference), commit);
}

/** Removes names of images. Their layers and objects stay until prune removes them. */
export async function removeImageNames(host: Host, references: readonly string[]): Promise<void> {
  await withRepository(host, (repo) => removeRefs(host, repo, references.map(formatImageRef)));
}

/**
 * Points a ref at a commit. The ref is on the disk when this returns. After a failure it is as before.
 *
 * @param ref such as `ociimage/...`
 */
export async function writeRef({ locations }: Host, ref: string, commit: Checksum): Promise<void> {
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
 * Removes refs one by one. A crash leaves the remaining ones. Needs no space, so that it works on a full disk; a
 * transaction would create a folder first. The removal is on the disk when this returns, because no object may be
 * removed before the last ref that needs it.
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
