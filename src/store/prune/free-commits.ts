import { lstatSync } from 'node:fs';
import { syncFilesystemOf } from '../../host/files/durable-files.ts';
import type { Host } from '../../host/host.ts';
import type { Pointer } from '../../native/glib.ts';
import { formatObjectPath, listCommits } from '../../ostree/object-files.ts';
import type { ObjectSet } from '../../ostree/reachable-objects.ts';

/**
 * Removes the unreachable commits and syncs, before their trees are removed. So no kill and no power cut leaves a commit
 * without its trees, which `ostree fsck` reports as damage.
 */
export async function freeCommits(
  { locations: { repository } }: Host,
  repo: Pointer,
  reachable: ObjectSet,
): Promise<{ objects: number; bytes: number }> {
  const { removeCommit } = await import('../../native/ostree-prune.ts');
  const unreachable = listCommits(repository).filter((checksum) => !reachable.commit.has(checksum));
  let bytes = 0;
  for (const checksum of unreachable) {
    bytes += lstatSync(formatObjectPath(repository, checksum, 'commit')).size;
    removeCommit(repo, checksum);
  }
  if (unreachable.length > 0) await syncFilesystemOf(repository);
  return { objects: unreachable.length, bytes };
}
