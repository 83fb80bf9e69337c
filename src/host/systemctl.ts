/** The system instance of systemd, through systemctl. */
import { stat } from 'node:fs/promises';
import { AtomicError } from '../core/errors.ts';
import { isErrno } from './file-error.ts';
import type { Host } from './host.ts';
import { runProgram } from './run-program.ts';

/** Exists exactly where systemd is PID 1: sd_booted(3). */
const bootedMarker = '/run/systemd/system';

/** What `systemctl show` knows of one unit; the words are systemd's. */
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
 * The same command without the reload that systemctl adds to `enable` and `disable`. A reload takes up to a third of a
 * second; one, after all files are there or gone, is enough.
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
  if (names.length === 0) return new Map();
  const properties = '--property=Id,LoadState,ActiveState,SubState,Result';
  const units = names.map((name) => `${name}.service`);
  return parseUnitStates(await runProgram(host, ['systemctl', 'show', properties, '--', ...units]), names);
}

/**
 * Parses `systemctl show`: blocks of `Property=value` lines with an empty line between them, in the order of the
 * arguments. The order tells whose block it is, because `Id` of an alias is another name.
 */
export function parseUnitStates(output: string, names: readonly string[]): ReadonlyMap<string, UnitState> {
  const blocks = output.trim().split(/\n\n+/);
  if (blocks.length !== names.length) {
    throw new AtomicError(
      'COMMAND_FAILED',
      `systemctl show: ${blocks.length} answers for ${names.length} services`,
    );
  }
  return new Map(
    names.map((name, index) => {
      const lines = (blocks[index] ?? '').split('\n').map((line) => {
        const equals = line.indexOf('=');
        return [line.slice(0, equals), line.slice(equals + 1)] as const;
      });
      const properties = new Map(lines);
      return [
        name,
        {
          loadState: properties.get('LoadState') ?? '',
          activeState: properties.get('ActiveState') ?? '',
          subState: properties.get('SubState') ?? '',
          result: properties.get('Result') ?? '',
        },
      ] as const;
    }),
  );
}
