/** The system instance of systemd, through systemctl. */
import { stat } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { isErrno } from '../../base/file-error.ts';
import type { Host } from '../host.ts';
import { runProgram } from '../run-program.ts';

/** This folder exists only where systemd is PID 1: sd_booted(3). */
const bootedMarker = '/run/systemd/system';

/** The state of a unit as `systemctl show` prints it, in the words of systemd. */
export interface UnitState {
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  readonly result: string;
}

export const reloadCommand: readonly string[] = ['systemctl', 'daemon-reload'];

export function buildEnableCommand(name: string): readonly string[] {
  return ['systemctl', 'enable', name];
}

export function buildDisableNowCommand(name: string): readonly string[] {
  return ['systemctl', 'disable', '--now', name];
}

/**
 * Adds `--no-reload` to an `enable` or `disable` command. A reload takes up to a third of a second; one reload after all
 * changes of files is enough.
 */
export function withoutReload([program = '', ...rest]: readonly string[]): readonly string[] {
  return [program, '--no-reload', ...rest];
}

/** @throws NO_SYSTEMD */
export async function requireSystemd(): Promise<void> {
  if (await isSystemdRunning()) return;
  throw new AtomicError('NO_SYSTEMD', 'systemd does not run on this machine', {
    hint: 'System containers are services of systemd: use a machine or a container where it is process 1.',
  });
}

export async function isSystemdRunning(): Promise<boolean> {
  try {
    return (await stat(bootedMarker)).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/** The unit that systemd has loaded for a name, from any folder or generator. */
export interface KnownUnit {
  /** The name in the request. */
  readonly name: string;
  /** The name of the unit; it differs from `name` when that is an alias. */
  readonly id: string;
  readonly loadState: string;
  readonly activeState: string;
  /** The path of the unit file, which may have been removed since; empty without one. */
  readonly file: string;
  /** The file from which a generator made the unit file, such as a script in `/etc/init.d`; otherwise empty. */
  readonly source: string;
  /** The units that this unit starts, when it is a socket, a timer or a path. */
  readonly triggers: readonly string[];
}

/**
 * Asks for the state of services with one systemctl call.
 *
 * @param names container names; `.service` is added
 * @returns by container name; a unit that systemd does not know has the load state `not-found`
 * @throws TOOL_MISSING, COMMAND_FAILED
 */
export async function readUnitStates(
  host: Host,
  names: readonly string[],
): Promise<ReadonlyMap<string, UnitState>> {
  const units = names.map((name) => `${name}.service`);
  const properties = ['Id', 'LoadState', 'ActiveState', 'SubState', 'Result'];
  return parseUnitStates(await showUnits(host, properties, units), names);
}

/**
 * Describes units with one systemctl call. systemd loads those that it has not loaded yet.
 *
 * @param units with their types: `etcd.service`
 * @throws TOOL_MISSING, COMMAND_FAILED
 */
export async function describeUnits(host: Host, units: readonly string[]): Promise<readonly KnownUnit[]> {
  const properties = ['Id', 'LoadState', 'ActiveState', 'FragmentPath', 'SourcePath', 'Triggers'];
  return parseKnownUnits(await showUnits(host, properties, units), units);
}

/**
 * Asks for properties of units with one systemctl call.
 *
 * @param units with their types: `etcd.service`
 * @returns for each unit, in their order, the values by property
 * @throws TOOL_MISSING, COMMAND_FAILED
 */
export async function showProperties(
  host: Host,
  properties: readonly string[],
  units: readonly string[],
): Promise<readonly ReadonlyMap<string, string>[]> {
  return parseProperties(await showUnits(host, properties, units), units.length);
}

async function showUnits(
  host: Host,
  properties: readonly string[],
  units: readonly string[],
): Promise<string> {
  if (units.length === 0) return '';
  return runProgram(host, ['systemctl', 'show', `--property=${properties.join(',')}`, '--', ...units]);
}

export function parseUnitStates(output: string, names: readonly string[]): ReadonlyMap<string, UnitState> {
  const blocks = parseProperties(output, names.length);
  return new Map(
    names.map((name, index) => {
      const read = (property: string) => blocks[index]?.get(property) ?? '';
      return [
        name,
        {
          loadState: read('LoadState'),
          activeState: read('ActiveState'),
          subState: read('SubState'),
          result: read('Result'),
        },
      ] as const;
    }),
  );
}

export function parseKnownUnits(output: string, units: readonly string[]): readonly KnownUnit[] {
  const blocks = parseProperties(output, units.length);
  return units.map((name, index) => {
    const read = (property: string) => blocks[index]?.get(property) ?? '';
    return {
      name,
      id: read('Id'),
      loadState: read('LoadState'),
      activeState: read('ActiveState'),
      file: read('FragmentPath'),
      source: read('SourcePath'),
      triggers: read('Triggers')
        .split(' ')
        .filter((unit) => unit !== ''),
    };
  });
}

/** Asks for the state of one service. @throws TOOL_MISSING, COMMAND_FAILED */
export async function readUnitState(host: Host, name: string): Promise<UnitState> {
  const state = (await readUnitStates(host, [name])).get(name);
  if (state === undefined) throw new Error(`no answer for ${name}`);
  return state;
}

/** Whether the service is enabled to start at boot. @throws COMMAND_FAILED */
export async function isServiceEnabled(host: Host, name: string): Promise<boolean> {
  const [block] = await showProperties(host, ['UnitFileState'], [`${name}.service`]);
  return block?.get('UnitFileState') === 'enabled';
}

/** Whether a service runs, starts or stops. */
export function isActive({ activeState }: UnitState): boolean {
  return activeState !== 'inactive' && activeState !== 'failed';
}

/**
 * Parses `systemctl show`: blocks of `Property=value` lines with an empty line between them, in the order of the
 * arguments. A block is matched to its unit by this order, because the `Id` of an alias is another name.
 */
function parseProperties(output: string, count: number): readonly ReadonlyMap<string, string>[] {
  const blocks = output.trim() === '' ? [] : output.trim().split(/\n\n+/);
  if (blocks.length !== count) {
    throw new AtomicError('COMMAND_FAILED', `systemctl show: ${blocks.length} answers for ${count} units`);
  }
  return blocks.map(
    (block) =>
      new Map(
        block.split('\n').map((line) => {
          const equals = line.indexOf('=');
          return [line.slice(0, equals), line.slice(equals + 1)] as const;
        }),
      ),
  );
}
