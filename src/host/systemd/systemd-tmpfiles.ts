/** systemd-tmpfiles for one configuration file (tmpfiles.d(5)). */

import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../host.ts';
import type { Locations } from '../locations.ts';
import { captureProgramWith } from '../run-program.ts';
import { disarmTmpfiles } from './tmpfiles-lines.ts';

/** Lists the folders of tmpfiles.d files; the first wins. `/lib` is a symlink to `/usr/lib` on merged systems. */
export function listTmpfilesFolders(locations: Locations): readonly string[] {
  const others = ['/run', '/usr/local/lib', '/usr/lib', '/lib'].map((folder) => `${folder}/tmpfiles.d`);
  return [locations.tmpfiles, ...others];
}

/**
 * @param file absolute path of the configuration file
 * @param prefix only paths with this prefix are created
 */
export function buildCreateCommand(file: string, prefix?: string): readonly string[] {
  const options = prefix === undefined ? [] : [`--prefix=${prefix}`];
  return ['systemd-tmpfiles', '--create', ...options, file];
}

/**
 * Builds the command that empties and removes the paths of lines of type D, R and r.
 *
 * @param file absolute path of the configuration file
 * @param spared paths that stay, with everything below them
 */
export function buildRemoveCommand(file: string, spared: readonly string[] = []): readonly string[] {
  return ['systemd-tmpfiles', '--remove', ...spared.map((path) => `--exclude-prefix=${path}`), file];
}

/**
 * Asks systemd-tmpfiles whether it accepts all lines. The lines have no effect.
 *
 * @returns the fault, such as `line 2: Failed to resolve user 'etcd'`; `undefined` without one
 * @throws TOOL_MISSING, COMMAND_FAILED when a signal ended it, INTERRUPTED
 */
export async function findTmpfilesFault(host: Host, text: string): Promise<string | undefined> {
  const disarmed = disarmTmpfiles(text);
  if ('badLine' in disarmed) return `line ${disarmed.badLine}: its type is not a letter with modifiers`;
  const { exitCode, stderrTail } = await captureProgramWith(host, buildRemoveCommand('-'), disarmed.text);
  if (exitCode === 0) return undefined;
  const reason = toPrintable(stderrTail.trim()).replace(/<stdin>:(\d+):/g, 'line $1:');
  return reason === '' ? `exit status ${exitCode}` : reason;
}
