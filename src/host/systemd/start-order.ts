/**
 * The order in which starts are requested. systemd begins with a job as soon as it is queued, and a unit waits only for jobs
 * that are queued at that moment: so the units that others come after must be requested first.
 */
import type { Host } from '../host.ts';
import { showProperties } from './systemctl.ts';

/**
 * Sorts units so that each comes after those that it is ordered after (`After=`, `Before=`).
 *
 * @param units with their types
 * @throws TOOL_MISSING, COMMAND_FAILED, INTERRUPTED
 */
export async function sortByOrder(host: Host, units: readonly string[]): Promise<readonly string[]> {
  if (units.length < 2) return units;
  const blocks = await showProperties(host, ['After'], units);
  return orderUnits(
    new Map(units.map((unit, index) => [unit, blocks[index]?.get('After')?.split(' ') ?? []])),
  );
}

/**
 * Keeps the given order where the units leave it open. systemd breaks a circle in a place of its choice; here it is broken
 * where it is entered.
 *
 * @param after unit -> the units that it is ordered after
 */
export function orderUnits(after: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const ordered = new Set<string>();
  const entered = new Set<string>();
  const visit = (unit: string): void => {
    if (entered.has(unit)) return;
    entered.add(unit);
    for (const earlier of after.get(unit) ?? []) if (after.has(earlier)) visit(earlier);
    ordered.add(unit);
  };
  for (const unit of after.keys()) visit(unit);
  return [...ordered];
}
