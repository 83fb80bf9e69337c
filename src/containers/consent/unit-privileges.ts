/** Finds the commands that a unit runs outside the container (systemd.service(5)). */
import { listUnitSettings } from '../render/unit/unit-lines.ts';
import type { Privilege } from './privilege.ts';

/** Keys of `[Service]` whose value is a command. */
const commandKeys = [
  'ExecCondition',
  'ExecStartPre',
  'ExecStart',
  'ExecStartPost',
  'ExecReload',
  'ExecStop',
  'ExecStopPost',
];

/**
 * Lists the commands that do not go through the OCI runtime.
 *
 * @param runtime absolute path of the runtime
 * @param deployment folder of the deployment; it changes with each update, so the result has `$DESTDIR` in its place
 */
export function listUnitPrivileges(unit: string, runtime: string, deployment: string): readonly Privilege[] {
  const subjects = listUnitSettings(unit)
    .filter(({ section, key, value }) => section === 'Service' && commandKeys.includes(key) && value !== '')
    .filter(({ value }) => readProgram(value) !== runtime)
    .map(({ key, value }) => `${key}=${value.replaceAll(deployment, '$DESTDIR')}`);
  return [...new Set(subjects)].map((subject) => ({ kind: 'program', subject }));
}

/** The program of a command line, without the prefixes that change how systemd runs it. */
function readProgram(command: string): string {
  return command.replace(/^[-@:+!|\s]+/, '').split(/\s/, 1)[0] ?? '';
}
