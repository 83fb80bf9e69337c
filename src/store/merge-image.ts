/**
 * Merges the layers of an image that the original tool stored, and writes the result to the store: a new commit has the root
 * filesystem as its tree, and the names of the image lead to it. The old commit stays as long as a container names it.
 */

import { readFileSync, statSync } from 'node:fs';
import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import { formatImageRef } from '../image/ref-name.ts';
import { formatObjectPath, readCommit, readDirTree } from '../ostree/object-files.ts';
import { type Commit, plainDirectory } from '../ostree/ostree-objects.ts';
import { withRepository } from '../ostree/repository.ts';
import { withTransaction } from '../ostree/transaction.ts';
import { writeRef } from '../ostree/write-refs.ts';
import { withExclusiveStore } from './access/store-lock.ts';
import { findStoredImage } from './find-image.ts';
import { ImageKey } from './image-commit.ts';
import { listImageNames } from './image-names.ts';
import { hasMergedRoot, mergeStoredLayers, readLayersOf } from './image-root.ts';
import { formatSignatures } from './image-signatures.ts';

/** skopeo's limit. */
const MAX_SIGNATURE_BYTES = 4 * 1024 * 1024;

/**
 * Merges the layers of the image with a name, if it exists and its layers are not merged yet. Holds the store exclusively
 * meanwhile, so that it does not undo a pull that moves the name. The caller holds no lock of the store.
 *
 * @param name as for `findStoredImage`
 * @throws AtomicError STORE_CORRUPT when a layer is missing or damaged, NO_SPACE, READ_ONLY, STORE_FAILED
 */
export async function mergeNamedImage(host: Host, name: string): Promise<void> {
  if (!needsMerge(host, name)) return;
  await withExclusiveStore(host, async () => {
    const image = findStoredImage(host, name);
    if (image === undefined || !needsMerge(host, name)) return;
    host.report({ kind: 'step', text: `Merging the layers of ${image.reference}` });
    const merged = await mergeCommit(host, image.commit);
    const names = listImageNames(host).filter(({ commit }) => commit === image.commit);
    for (const { reference } of names) await writeRef(host, formatImageRef(reference), merged);
  });
}

/**
 * Writes a commit of an image with the merged root as its tree. Metadata and time are copied, so that repeated merges give
 * the same commit.
 *
 * @param checksum checksum of the image's commit
 * @returns checksum of the merged commit; `checksum` itself when its tree is a root filesystem already
 * @throws as `mergeNamedImage`
 */
export async function mergeCommit(host: Host, checksum: Checksum): Promise<Checksum> {
  const { repository } = host.locations;
  const commit = readCommit(repository, checksum);
  if (hasMergedRoot(repository, commit)) return checksum;
  const { dirtree, dirmeta, created } = mergeStoredLayers(repository, readLayersOf(repository, commit));
  const metadata = new Map([
    ...commit.metadata,
    ...formatSignatures(readSignatureFiles(repository, commit)),
    // The source is unknown. The key marks a commit of this program.
    [ImageKey.source, ''],
    [ImageKey.mergedFrom, checksum],
  ]);
  return withRepository(host, async (repo) => {
    const { writeMetadata } = await import('../native/ostree.ts');
    return withTransaction(host, repo, 'merging the layers of an image', (transaction) => {
      writeMetadata(repo, 'dirmeta', plainDirectory.data);
      for (const data of created.values()) writeMetadata(repo, 'dirtree', data);
      return transaction.writeCommit({ dirtree, dirmeta, metadata, timestamp: commit.timestamp });
    });
  });
}

function needsMerge(host: Host, name: string): boolean {
  const { repository } = host.locations;
  const image = findStoredImage(host, name);
  return image !== undefined && !hasMergedRoot(repository, readCommit(repository, image.commit));
}

/** The original tool stores signatures as files beside the manifest. */
function readSignatureFiles(repository: string, { dirtree }: Commit): Buffer[] {
  return readDirTree(repository, dirtree)
    .files.filter(({ name }) => name.startsWith('signature-'))
    .sort((a, b) => readNumber(a.name) - readNumber(b.name))
    .map(({ checksum }) => formatObjectPath(repository, checksum, 'file'))
    .filter((path) => statSync(path).size <= MAX_SIGNATURE_BYTES)
    .map((path) => readFileSync(path));
}

function readNumber(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1));
}
