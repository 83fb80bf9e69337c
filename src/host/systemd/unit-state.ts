/** The states of services: over the system bus, and where that fails through systemctl. */
import type { Host } from '../host.ts';
import { BadMessage, MessageReader } from './bus-message.ts';
import { BusFailed, SystemBus } from './system-bus.ts';

/** The state of a unit in the words of systemd. */
export interface UnitState {
  readonly loadState: string;
  readonly activeState: string;
}

/** The state of a unit, and the number of its job: 0 without one. */
interface ListedUnit extends UnitState {
  readonly job: number;
}

/** Id, description, load, active and sub state, followed unit, path; number, type and path of a job. */
const unitList = 'a(ssssssouso)';

/**
 * Asks for the state of units with one question.
 *
 * @param units with their types
 * @returns by unit; one that systemd does not know has the load state `not-found`
 * @throws TOOL_MISSING, COMMAND_FAILED, INTERRUPTED
 */
export async function readUnitStates(
  host: Host,
  units: readonly string[],
): Promise<ReadonlyMap<string, UnitState>> {
  if (units.length === 0) return new Map();
  using bus = new SystemBus(host);
  return await readStatesOver(host, bus, units);
}

/** Asks over an open connection. @throws as `readUnitStates` */
export async function readStatesOver(
  host: Host,
  bus: SystemBus,
  units: readonly string[],
): Promise<ReadonlyMap<string, UnitState>> {
  const states = (await askBus(bus, units)) ?? (await askSystemctl(host, units));
  return new Map(states.map((state, index) => [units[index] ?? '', state]));
}

/** Asks for the state of one unit. @throws as `readUnitStates` */
export async function readUnitState(host: Host, unit: string): Promise<UnitState> {
  const state = (await readUnitStates(host, [unit])).get(unit);
  if (state === undefined) throw new Error(`no answer for ${unit}`);
  return state;
}

/** Whether a service runs, starts or stops. */
export function isActive({ activeState }: UnitState): boolean {
  return activeState !== 'inactive' && activeState !== 'failed';
}

/** @returns `undefined` when the bus does not tell, or leaves out a unit whose name is none for systemd */
async function askBus(bus: SystemBus, units: readonly string[]): Promise<readonly UnitState[] | undefined> {
  try {
    const states = await listUnits(bus, units);
    return states.length === units.length ? states : undefined;
  } catch (error) {
    if (error instanceof BusFailed || error instanceof BadMessage) return undefined;
    throw error;
  }
}

/**
 * @param units with their types; systemd leaves out those whose name is none
 * @throws BusFailed, BadMessage, INTERRUPTED
 */
export async function listUnits(bus: SystemBus, units: readonly string[]): Promise<readonly ListedUnit[]> {
  return parseUnitList(await bus.callSystemd('ListUnitsByNames', [units], unitList));
}

/** @throws BadMessage */
export function parseUnitList(body: Uint8Array): readonly ListedUnit[] {
  const reader = new MessageReader(body);
  reader.readNumber();
  const states: ListedUnit[] = [];
  reader.align(8);
  while (!reader.isAtEnd()) {
    reader.align(8);
    const [, , loadState = '', activeState = ''] = Array.from({ length: 7 }, () => reader.readString());
    states.push({ loadState, activeState, job: reader.readNumber() });
    reader.readString();
    reader.readString();
  }
  return states;
}

async function askSystemctl(host: Host, units: readonly string[]): Promise<readonly UnitState[]> {
  const { showProperties } = await import('./systemctl.ts');
  const blocks = await showProperties(host, ['LoadState', 'ActiveState'], units);
  return blocks.map((block) => ({
    loadState: block.get('LoadState') ?? '',
    activeState: block.get('ActiveState') ?? '',
  }));
}
