/** The system instance of systemd, through systemctl. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../host.ts';
import { buildCommandFailed, captureProgram } from '../run-program.ts';
import { isSystemdRunning } from './booted.ts';

export const reloadCommand: readonly string[] = ['systemctl', 'daemon-reload'];

/** @param units with their types */
export function buildEnableCommand(units: readonly string[]): readonly string[] {
  return ['systemctl', 'enable', ...units.map(shortenUnit)];
}

/** @param units with their types */
export function buildDisableNowCommand(units: readonly string[]): readonly string[] {
  return ['systemctl', 'disable', '--now', ...units.map(shortenUnit)];
}

/** The name of a unit for a command that a person reads: systemctl adds `.service` itself. */
export function shortenUnit(unit: string): string {
  return unit.replace(/\.service$/, '');
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
  const property = `--property=${properties.join(',')}`;
  const result = await captureProgram(host, ['systemctl', 'show', property, '--', ...units]);
  if (result.exitCode === 0) return result.stdout;
  // The properties say nothing about the failure.
  throw buildCommandFailed({ ...result, argv: ['systemctl', 'show', ...nameSome(units)] });
}

/** The command of an error names at most so many units. */
const MAX_NAMED_UNITS = 3;

function nameSome(units: readonly string[]): readonly string[] {
  return units.length <= MAX_NAMED_UNITS ? units : [...units.slice(0, MAX_NAMED_UNITS), '...'];
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

/** Lists the services that are enabled to start at boot, with one question. @throws COMMAND_FAILED */
export async function listEnabledServices(
  host: Host,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const units = names.map((name) => `${name}.service`);
  const blocks = await showProperties(host, ['UnitFileState'], units);
  return new Set(names.filter((_, index) => blocks[index]?.get('UnitFileState') === 'enabled'));
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
