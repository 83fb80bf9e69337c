/** Restores the files of the deployments of a container by hard links to sound objects of the store. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { syncFilesystemOf } from '../../host/files/durable-files.ts';
import type { Host } from '../../host/host.ts';
import type { StaleMount } from '../../image/verified-image.ts';
import { withRepository } from '../../ostree/repository.ts';
import { withExclusiveStore } from '../../store/access/store-lock.ts';
import { registerCheckouts } from '../../store/checkout/checkout-folders.ts';
import { listMountsOf } from '../../store/mount/mount-folder.ts';
import { ObjectVerifier } from '../../store/verify/object-verifier.ts';
import { relinkDeployment } from '../verify/relink-deployment.ts';
import { pointInfoAt } from '../verify/repair-deployments.ts';
import { findCommitOf, listSubjects } from '../verify/verify-subjects.ts';
import { selectDeployments } from './deployment-drift.ts';
import type { Drift } from './drift.ts';

export function needsRelink(drifts: readonly Drift[]): boolean {
  return drifts.some(
    ({ part, state }) =>
      part === 'files' || (part === 'file' && state !== 'added') || (part === 'info' && state === 'changed'),
  );
}

/**
 * The caller holds the lock of the container, and not that of the store. A file whose object is damaged stays as it is.
 *
 * @returns the mounts of deployments whose files were replaced: they may show the old ones
 * @throws NO_SPACE, READ_ONLY, STORE_FAILED; then each path is as before or as in the image
 */
export async function relinkContainer(host: Host, name: string): Promise<readonly StaleMount[]> {
  const { checkouts, repository } = host.locations;
  // There are no hard links from one filesystem to another: then copies are right.
  const canLink = statSync(checkouts).dev === statSync(repository).dev;
  return withExclusiveStore(host, () =>
    withRepository(host, async (repo) => {
      const stale: StaleMount[] = [];
      const verifier = new ObjectVerifier(host, repo);
      for (const { deployment, subject } of selectDeployments(host, name, await listSubjects(host, []))) {
        const commit = findCommitOf(host, subject.target, deployment);
        if (commit === undefined || !deployment.record.hasContainerService) continue;
        const replaced = await relinkDeployment(host, deployment, commit, async ({ expected, state }) => {
          if (state === 'copied' && !canLink) return false;
          if (expected.kind !== 'file') return true;
          return (await verifier.check('file', expected.checksum)).state === 'sound';
        });
        if (commit !== deployment.record.ostreeCommit) await pointInfoAt(deployment, commit);
        const directories = replaced > 0 ? await listMountsOf(host, deployment.folder) : [];
        stale.push(...directories.map((directory) => ({ name: basename(deployment.folder), directory })));
      }
      await registerCheckouts(host);
      await syncFilesystemOf(checkouts);
      return stale;
    }),
  );
}
