/** Finds the running units that systemd stops together with the units of a container (systemd.unit(5)). */
import type { Host } from '../../host/host.ts';
import { showProperties } from '../../host/systemd/systemctl.ts';

/** Properties that list the units to which systemd passes on a stop. */
const stopPropagation = ['RequiredBy', 'RequisiteOf', 'BoundBy', 'ConsistsOf', 'PropagatesStopTo'];
/** A host has a few such units; a longer list is useless. */
const maxUnits = 1000;

/**
 * Lists the active units that a stop of units ends, with these units themselves first. They are started again after
 * an update, after its undo, and when an uninstall is undone. A unit that does not run ends none. There is one
 * question for all of them, and one for each further distance.
 *
 * @param stopped with their types
 * @throws COMMAND_FAILED
 */
export async function listRunningUnits(host: Host, stopped: readonly string[]): Promise<readonly string[]> {
  const first = (await ask(host, stopped)).filter(({ isRunning }) => isRunning);
  const running = first.map(({ unit }) => unit);
  const seen = new Set(running);
  let level: readonly StoppableUnit[] = first;
  while (seen.size < maxUnits) {
    const next = [...new Set(level.flatMap(({ passesOn }) => passesOn))].filter((unit) => !seen.has(unit));
    if (next.length === 0) break;
    for (const unit of next) seen.add(unit);
    level = await ask(host, next);
    for (const { unit, isRunning } of level) if (isRunning) running.push(unit);
  }
  return running;
}

interface StoppableUnit {
  readonly unit: string;
  readonly isRunning: boolean;
  /** The units to which systemd passes on its stop. */
  readonly passesOn: readonly string[];
}

async function ask(host: Host, units: readonly string[]): Promise<readonly StoppableUnit[]> {
  const blocks = await showProperties(host, ['ActiveState', ...stopPropagation], units);
  return blocks.map((block, index) => ({
    unit: units[index] ?? '',
    isRunning: isRunning(block.get('ActiveState')),
    passesOn: stopPropagation.flatMap((property) =>
      (block.get(property) ?? '').split(' ').filter((other) => other !== ''),
    ),
  }));
}

function isRunning(activeState: string | undefined): boolean {
  return activeState === 'active' || activeState === 'activating' || activeState === 'reloading';
}
