/** Restores the paths of a deployment as in its image, each by one rename. */

import { chmodSync, chownSync, lstatSync, renameSync } from 'node:fs';
import { withFileErrors } from '../../base/file-error.ts';
import { PERMISSIONS } from '../../base/file-mode.ts';
import { removeTree, requireNoMounts } from '../../host/files/remove-tree.ts';
import { unlinkIfThere } from '../../host/files/unlink-file.ts';
import type { Host } from '../../host/host.ts';
import type { Checksum } from '../../image/checksum.ts';
import { formatObjectPath, readDirMeta } from '../../ostree/object-files.ts';
import { checkoutFolder } from '../../store/checkout/checkout.ts';
import { linkOrCopy } from '../../store/layer/link-or-copy.ts';
import { mergeCommit } from '../../store/merge-image.ts';
import { buildDeploymentFolder, buildDeploymentPaths } from '../deployment.ts';
import type { InstalledDeployment } from '../list-deployments.ts';
import { checkDeployment, type FoundDifference } from './check-deployment.ts';

/**
 * Replaces every changed file by a hard link to its object, and restores missing paths. Running processes keep the
 * files that they have open. Additional files stay. The caller holds the container's lock, and syncs the filesystem.
 *
 * @param commit whose tree it should have
 * @param canFix whether the objects for a difference are sound
 * @returns how many paths were replaced
 * @throws STORE_FAILED and the like; then each path is as before, or as in the image, or (when its type differs)
 *   missing
 */
export async function relinkDeployment(
  host: Host,
  { name, number, folder }: InstalledDeployment,
  commit: Checksum,
  canFix: (difference: FoundDifference) => Promise<boolean>,
): Promise<number> {
  const temporary = buildDeploymentFolder(host.locations, name, number, 'fix');
  const { rootfs } = buildDeploymentPaths(folder, name);
  let replaced = 0;
  await removeTemporary(temporary);
  try {
    await checkDeployment(host, rootfs, commit, async (difference) => {
      if (difference.state === 'additional' || !(await canFix(difference))) return;
      await withFileErrors(`repair ${rootfs}${difference.path}`, () =>
        applyFix(host, difference, { rootfs, temporary, commit }),
      );
      replaced += 1;
    });
  } finally {
    await removeTemporary(temporary);
  }
  return replaced;
}

async function applyFix(
  host: Host,
  { expected, place, path }: FoundDifference,
  { rootfs, temporary, commit }: { rootfs: string; temporary: string; commit: Checksum },
): Promise<void> {
  switch (expected.kind) {
    case 'file': {
      const stats = lstatSync(place, { throwIfNoEntry: false });
      if (stats?.isDirectory()) {
        // `place` is a path through a descriptor, which no mount table has.
        await requireNoMounts(`${rootfs}${path}`);
        await removeTree(place);
      }
      unlinkIfThere(temporary);
      await linkOrCopy(formatObjectPath(host.locations.repository, expected.checksum, 'file'), temporary);
      renameSync(temporary, place);
      return;
    }
    case 'folder':
      await checkoutFolder(host, await mergeCommit(host, commit), path, temporary);
      unlinkIfThere(place);
      renameSync(temporary, place);
      return;
    case 'folder-metadata': {
      const { uid, gid, mode } = readDirMeta(host.locations.repository, expected.dirmeta);
      chownSync(place, uid, gid);
      chmodSync(place, mode & PERMISSIONS);
      return;
    }
    case 'nothing':
      return;
  }
}

/** Also removes the remains of a killed repair. */
export async function removeTemporary(temporary: string): Promise<void> {
  if (lstatSync(temporary, { throwIfNoEntry: false })?.isDirectory()) await removeTree(temporary);
  else unlinkIfThere(temporary);
}
