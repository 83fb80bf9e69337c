/** Rebuilds the objects that a pull makes from the layers: the merged directories of an image, and its commit. */
import type { ImageManifest } from '../../image/manifest.ts';
import type { StoreProblem } from '../../image/verified-image.ts';
import { plainDirectory } from '../../ostree/ostree-objects.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { withTransaction } from '../../ostree/transaction.ts';
import { mergeStoredLayers } from '../image-root.ts';
import { readLayerTrees } from '../stored-layer.ts';
import { placeData } from './place-object.ts';
import type { Repair, Replacement } from './repair.ts';
import type { TrustedManifest } from './verify-targets.ts';

/**
 * Replaces the damaged directories that the merge of the layers produces. Does nothing while directories of the layers are
 * damaged.
 */
export async function* rebuildDirectories(
  repair: Repair,
  manifest: ImageManifest,
  problems: readonly StoreProblem[],
): AsyncGenerator<Replacement> {
  const { repository } = repair.host.locations;
  const directories = problems.filter(({ kind }) => kind === 'dirtree');
  const made =
    directories.length === 0
      ? undefined
      : tolerateDamage(
          () => mergeStoredLayers(repository, readLayerTrees(repository, manifest.layers)).created,
        );
  for (const problem of problems) {
    if (problem.kind === 'ref') continue;
    const { kind, name } = problem;
    const data = kind === 'dirtree' ? made?.get(name) : undefined;
    const isPlain = kind === 'dirmeta' && name === plainDirectory.checksum;
    if (data !== undefined) yield await placeData(repair, 'dirtree', name, data);
    else if (isPlain) yield await placeData(repair, 'dirmeta', name, plainDirectory.data);
  }
}

/**
 * Writes a new commit of an image whose layers are all sound, and points its ref at it. The commit has the current time, so
 * its checksum differs from that of the damaged one.
 *
 * @throws AtomicError STORE_CORRUPT when a layer is damaged or missing, STORE_FAILED
 */
export async function rewriteImageCommit(
  { host, repo }: Repair,
  reference: string,
  recorded: TrustedManifest,
  manifest: ImageManifest,
): Promise<void> {
  const { writeImageCommit } = await import('../write-commit.ts');
  const layers = readLayerTrees(host.locations.repository, manifest.layers);
  await withTransaction(host, repo, `storing ${reference}`, (transaction) => {
    writeImageCommit(transaction, reference, recorded, layers);
  });
}
