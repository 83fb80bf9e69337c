/** Finds the running units that systemd stops together with the service of a container (systemd.unit(5)). */
import type { Host } from '../../host/host.ts';
import { showProperties } from '../../host/systemd/systemctl.ts';

/** Properties that list the units to which systemd passes on a stop. */
const stopPropagation = ['RequiredBy', 'RequisiteOf', 'BoundBy', 'ConsistsOf', 'PropagatesStopTo'];
/** A host has a few such units; a longer list is useless. */
const maxUnits = 1000;

/**
 * Lists the active units that a stop of the service ends, with the service itself first. They are started again after
 * an update, after its undo, and when an uninstall is undone. For a service that does not run the list is empty.
 *
 * @param name of the container
 * @throws COMMAND_FAILED
 */
export async function listRunningUnits(host: Host, name: string): Promise<readonly string[]> {
  const running: string[] = [];
  const seen = new Set<string>();
  let next = [`${name}.service`];
  while (next.length > 0 && seen.size < maxUnits) {
    for (const unit of next) seen.add(unit);
    const blocks = await showProperties(host, ['ActiveState', ...stopPropagation], next);
    const found = new Set<string>();
    for (const [index, block] of blocks.entries()) {
      const unit = next[index] ?? '';
      if (isRunning(block.get('ActiveState'))) running.push(unit);
      if (running.length === 0) return [];
      for (const property of stopPropagation) {
        for (const other of (block.get(property) ?? '').split(' ')) if (other !== '') found.add(other);
      }
    }
    next = [...found].filter((unit) => !seen.has(unit));
  }
  return running;
}

function isRunning(activeState: string | undefined): boolean {
  return activeState === 'active' || activeState === 'activating' || activeState === 'reloading';
}
