/**
 * A repository beside the image store, into which a repair fetches layers again. libostree does not write what it has
 * already, however damaged it is; here it has nothing, and the store is not touched until a sound object is on the disk.
 *
 * ```
 * REPO/tmp/atomic-scratch-repair/
 *   repository/    layers that were fetched again
 *   source/        what the source of the image needs, see `private-copy.ts`
 *   placing        an object on its way into the store
 * ```
 *
 * The lock of the store is held exclusively, so there is one at a time. A crash leaves it; the next repair removes it, or
 * the next prune (`scratch-leftovers.ts`).
 */
import { existsSync, mkdirSync } from 'node:fs';
import { withFileErrors } from '../../base/file-error.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import type { Scratch } from '../../source/image-source.ts';

/** @returns what the action returns; nothing of the scratch is left then, nor after a failure */
export async function withRepairScratch<T>(
  host: Host,
  action: (scratch: RepairScratch) => Promise<T>,
): Promise<T> {
  const folder = buildScratchFolder(host);
  await removeTree(folder);
  await withFileErrors(`create folder ${folder}`, async () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  });
  try {
    return await action({
      placing: `${folder}/placing`,
      source: {
        async open() {
          mkdirSync(`${folder}/source`, { recursive: true, mode: 0o700 });
          return `${folder}/source`;
        },
        // Little is fetched, and a full disk ends a repair without harm.
        requireRoom: async () => undefined,
      },
      host: {
        ...host,
        locations: {
          ...host.locations,
          repository: `${folder}/repository`,
        },
      },
    });
  } finally {
    await removeTree(folder);
  }
}

export interface RepairScratch {
  /** Where an object is made before it is renamed into the store. */
  readonly placing: string;
  /** For what a source needs to keep. */
  readonly source: Scratch;
  /** The same host, with the scratch as its image store. */
  readonly host: Host;
}

/** Whether a repair runs, or was killed. */
export function hasRepairScratch(host: Host): boolean {
  return existsSync(buildScratchFolder(host));
}

/** Removes what a killed repair has left. The caller holds the lock of the store exclusively. */
export async function removeRepairScratch(host: Host): Promise<void> {
  await removeTree(buildScratchFolder(host));
}

function buildScratchFolder(host: Host): string {
  return `${host.locations.repository}/tmp/atomic-scratch-repair`;
}
