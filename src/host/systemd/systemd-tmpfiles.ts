/** systemd-tmpfiles for one configuration file (tmpfiles.d(5)). */

import type { Locations } from '../../base/locations.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../host.ts';
import { captureProgramWith } from '../run-program.ts';
import { disarmTmpfiles } from './tmpfiles-lines.ts';

/** Where such files are, the first one winning; the last one is another folder only where `/lib` is. */
export function listTmpfilesFolders(locations: Locations): readonly string[] {
  const others = ['/run', '/usr/local/lib', '/usr/lib', '/lib'].map((folder) => `${folder}/tmpfiles.d`);
  return [locations.tmpfiles, ...others];
}

/**
 * @param file absolute path of the configuration file
 * @param prefix only paths that begin so are created
 */
export function buildCreateCommand(file: string, prefix?: string): readonly string[] {
  const options = prefix === undefined ? [] : [`--prefix=${prefix}`];
  return ['systemd-tmpfiles', '--create', ...options, file];
}

/**
 * Removes what lines of type D, R and r declare as not lasting.
 *
 * @param file absolute path of the configuration file
 * @param spared paths that are left alone, with what is below them
 */
export function buildRemoveCommand(file: string, spared: readonly string[] = []): readonly string[] {
  return ['systemd-tmpfiles', '--remove', ...spared.map((path) => `--exclude-prefix=${path}`), file];
}

/**
 * Asks systemd-tmpfiles whether it understands all lines, without doing what they say.
 *
 * @returns what is wrong, such as `line 2: Failed to resolve user 'etcd'`; undefined when nothing is
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
