/**
 * An empty repository in the image store's folder for temporary files, into which a repair fetches layers. libostree
 * does not write an object again that it has, even a damaged one; so a repair must not fetch into the store. The store
 * does not change before a sound object is on the disk.
 *
 * ```
 * REPO/tmp/atomic-scratch-repair/
 *   repository/    layers that were fetched again
 *   source/        files that the source of the image needs, see `private-copy.ts`
 *   placing        an object before it is moved into the store
 * ```
 *
 * A repair holds the store exclusively, so there is one scratch repository at a time. After a crash the next repair or prune
 * removes it (`scratch-leftovers.ts`).
 */
import { existsSync, mkdirSync } from 'node:fs';
import { withFileErrors } from '../../base/file-error.ts';
import { FolderMode } from '../../base/file-mode.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import type { Scratch } from '../../source/image-source.ts';

/** Runs an action with a scratch repository, and removes that afterwards, also after a failure. */
export async function withRepairScratch<T>(
  host: Host,
  action: (scratch: RepairScratch) => Promise<T>,
): Promise<T> {
  const folder = buildScratchFolder(host);
  await removeTree(folder);
  await withFileErrors(`create folder ${folder}`, async () => {
    mkdirSync(folder, { recursive: true, mode: FolderMode.private });
  });
  try {
    return await action({
      placing: `${folder}/placing`,
      source: {
        async open() {
          mkdirSync(`${folder}/source`, { recursive: true, mode: FolderMode.private });
          return `${folder}/source`;
        },
        // A repair fetches little, and a full disk does no harm.
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
  /** Path of an object before it is renamed into the store. */
  readonly placing: string;
  /** Scratch folder for the source. */
  readonly source: Scratch;
  /** The same host with the scratch repository as its image store. */
  readonly host: Host;
}

/** Whether a repair runs or was killed. */
export function hasRepairScratch(host: Host): boolean {
  return existsSync(buildScratchFolder(host));
}

/** Removes the scratch repository of a killed repair. The caller holds the store exclusively. */
export async function removeRepairScratch(host: Host): Promise<void> {
  await removeTree(buildScratchFolder(host));
}

function buildScratchFolder(host: Host): string {
  return `${host.locations.repository}/tmp/atomic-scratch-repair`;
}
