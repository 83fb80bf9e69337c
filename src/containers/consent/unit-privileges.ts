/** Finds what a unit does outside the container (systemd.service(5), systemd.unit(5)). */
import { listUnitSettings } from '../render/unit/unit-settings.ts';
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

/** Keys of `[Service]` with which the runtime may load other code, or find the files of another container. */
const contextKeys = [
  ...['RootDirectory', 'RootImage', 'BindPaths', 'BindReadOnlyPaths', 'MountImages'],
  ...['ExtensionImages', 'ExtensionDirectories', 'EnvironmentFile', 'PassEnvironment'],
];
/** Variables of the dynamic linker, and what may hide their names. */
const linkerVariable = /LD_|GLIBC_TUNABLES|[\\%]/;
/** Words of a command for another container, and what may hide them. */
const otherContainer = /[\s"'](?:exec|-b|--bundle|--root)\b|[\\%$]/;

/**
 * Keys whose units stop, fail or start with the service, also under their former names. An `Alias=` that the host has is
 * refused (free-names.ts).
 */
const unitKeys = [
  ...['Unit.Conflicts', 'Unit.PropagatesStopTo'],
  ...['Unit.Wants', 'Unit.Requires', 'Unit.RequiresOverridable', 'Unit.BindsTo', 'Unit.BindTo'],
  ...['Unit.Upholds', 'Unit.OnFailure', 'Unit.OnSuccess'],
  ...['Install.RequiredBy', 'Install.WantedBy', 'Install.UpheldBy'],
];

/** Keys that stop the machine. Two of them were in `[Service]`, and count there, too. */
const actionKeys = [
  ...['Unit.FailureAction', 'Unit.SuccessAction', 'Unit.JobTimeoutAction', 'Unit.StartLimitAction'],
  ...['Service.FailureAction', 'Service.StartLimitAction'],
];

/** What the units of ordinary services say: the targets only wait for other units. */
const usualSettings = [
  /^WantedBy=(?:multi-user|graphical|default)\.target$/,
  /^Conflicts=shutdown\.target$/,
  /^(?:Wants|Requires)=(?:basic|sysinit|network|network-online|local-fs|remote-fs|nss-lookup|time-sync)\.target$/,
];

/**
 * Lists the commands that do not go through the OCI runtime to the container, and the effects on other units and on the machine.
 *
 * @param runtime absolute path of the runtime
 * @param deployment folder of the deployment; it changes with each update, so the result has `$DESTDIR` in its place
 */
export function listUnitPrivileges(unit: string, runtime: string, deployment: string): readonly Privilege[] {
  return [...listCommands(unit, runtime, deployment), ...listUnitEffects(unit)];
}

function listCommands(unit: string, runtime: string, deployment: string): readonly Privilege[] {
  const leavesContainer = (key: string, value: string): boolean => {
    if (commandKeys.includes(key)) return readProgram(value) !== runtime || otherContainer.test(value);
    if (key === 'WorkingDirectory') return value !== deployment;
    return contextKeys.includes(key) || (key === 'Environment' && linkerVariable.test(value));
  };
  const subjects = listUnitSettings(unit)
    .filter(({ section, key, value }) => section === 'Service' && value !== '' && leavesContainer(key, value))
    .map(({ key, value }) => `${key}=${value.replaceAll(deployment, '$DESTDIR')}`);
  return [...new Set(subjects)].map((subject) => ({ kind: 'program', subject }));
}

function listUnitEffects(unit: string): readonly Privilege[] {
  const subjects = listUnitSettings(unit).flatMap(({ section, key, value }) => {
    if (unitKeys.includes(`${section}.${key}`)) {
      return value.split(/\s+/).flatMap((word) => (word === '' ? [] : [`${key}=${word}`]));
    }
    const isAction = actionKeys.includes(`${section}.${key}`) && value !== '' && value !== 'none';
    return isAction ? [`${key}=${value}`] : [];
  });
  return [...new Set(subjects)]
    .filter((subject) => !usualSettings.some((usual) => usual.test(subject)))
    .map((subject) => ({ kind: 'host-unit', subject }));
}

/** The program of a command line, without the prefixes that change how systemd runs it. */
function readProgram(command: string): string {
  return command.replace(/^[-@:+!|\s]+/, '').split(/\s/, 1)[0] ?? '';
}
