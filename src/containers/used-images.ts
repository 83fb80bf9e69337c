import type { Host } from '../host/host.ts';
import { listContainerNames, readContainer } from './read-container.ts';

/**
 * Lists the ids of the images that containers use (compatibility M-02). Works without root; damaged containers count
 * for nothing, because nobody knows their image.
 *
 * @returns image id -> names of the containers, sorted
 */
export async function listUsedImageIds(host: Host): Promise<ReadonlyMap<string, readonly string[]>> {
  const used = new Map<string, string[]>();
  for (const name of await listContainerNames(host)) {
    const state = await readContainer(host, name);
    if (state.kind !== 'installed' || state.record.revision === '') continue;
    used.set(state.record.revision, [...(used.get(state.record.revision) ?? []), name]);
  }
  return used;
}
