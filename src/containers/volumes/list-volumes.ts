import type { Host } from '../../host/host.ts';
import { readContainer } from '../read-container.ts';
import { findVolumes } from './volume-folders.ts';

/** Lists the folders of the volumes of containers that have some, also of containers that are no longer installed. */
export async function listVolumesOf(host: Host, names: readonly string[]): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const name of names) {
    const state = await readContainer(host, name);
    const folder = await findVolumes(name, state.kind === 'installed' ? state.record.values : undefined);
    if (folder !== undefined) folders.push(folder);
  }
  return folders;
}
