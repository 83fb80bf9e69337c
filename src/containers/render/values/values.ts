import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { listCapabilities } from '../../../ostree/capabilities.ts';
import type { TemplateValues } from './template.ts';

/** The facts that determine the values of an installation. The caller collects them. */
export interface ValueFacts {
  /** Name of the container. */
  readonly name: string;
  /** Absolute path of the deployment folder. */
  readonly deployment: string;
  /** Absolute path of the OCI runtime. */
  readonly runtime: string;
  /** Whether `RUNTIME --help` mentions `--systemd-cgroup`. */
  readonly runtimeSupportsSystemdCgroup: boolean;
  /** Result of `choosesPidfileMode`. */
  readonly pidfileMode: boolean;
  /** User and group of the process that installs. */
  readonly uid: number;
  readonly gid: number;
  /** Image as given, and its id. */
  readonly imageName: string;
  readonly imageId: string;
  /** A new random UUID; used when there is none yet. */
  readonly uuid: string;
  /** Content of `/proc/sys/kernel/cap_last_cap`. */
  readonly lastCapability: number;
  /** Absolute path of the running program. */
  readonly program: string;
}

/** Variables that neither `--set` nor a manifest can change (compatibility V-02). */
export const forcedVariables: ReadonlySet<string> = new Set([
  'DESTDIR',
  'NAME',
  'EXEC_START',
  'EXEC_STOP',
  'EXEC_STARTPRE',
  'EXEC_STOPPOST',
  'HOST_UID',
  'HOST_GID',
  'IMAGE_NAME',
  'IMAGE_ID',
]);

/** Variables that have a value without `--set` and without a manifest, and that `--set` may change. */
export const systemVariables: ReadonlySet<string> = new Set([
  'RUN_DIRECTORY',
  'PIDFILE',
  'CONF_DIRECTORY',
  'STATE_DIRECTORY',
  'UUID',
  'ALL_PROCESS_CAPABILITIES',
  'RUNTIME',
  'ATOMIC',
]);

/**
 * Decides whether the runtime leaves the container running and writes a PID file, so that systemd supervises the
 * container's own process. A unit template chooses this mode when it contains `$EXEC_STOPPOST` and `$PIDFILE`, with a
 * plain dollar sign (compatibility V-03). The default unit does not.
 *
 * @param unitTemplate text of `service.template`, `undefined` when the image has none
 * @param runtimeSupportsPidfile whether `RUNTIME run --help` mentions `--pid-file`
 */
export function choosesPidfileMode(
  unitTemplate: string | undefined,
  runtimeSupportsPidfile: boolean,
): boolean {
  if (!runtimeSupportsPidfile || unitTemplate === undefined) return false;
  return unitTemplate.includes('$EXEC_STOPPOST') && unitTemplate.includes('$PIDFILE');
}

/**
 * Builds all template values of a system container that is installed for the first time. Precedence: forced, `--set`,
 * defaults of the system, defaults of the manifest; only a UUID of the manifest overrides that of the system.
 *
 * @param facts the collected facts
 * @param set checked `--set` values
 * @param manifestDefaults `defaultValues` of the image
 * @throws BAD_VALUE when the path of the runtime or the deployment cannot stand in a unit
 */
export function buildInstallValues(
  facts: ValueFacts,
  set: Readonly<Record<string, string>>,
  manifestDefaults: Readonly<Record<string, string>>,
): TemplateValues {
  checkUnitPath('runtime', facts.runtime);
  checkUnitPath('folder', facts.deployment);
  const chosen = { ...manifestDefaults, ...buildSystemDefaults(facts, set, manifestDefaults), ...set };
  return { ...chosen, ...buildForcedValues(facts, String(chosen.PIDFILE)) };
}

/** Values that `--set` may override. The PID file is in the run directory, also when that was set. */
function buildSystemDefaults(
  facts: ValueFacts,
  set: Readonly<Record<string, string>>,
  manifestDefaults: Readonly<Record<string, string>>,
) {
  const runDirectory = set.RUN_DIRECTORY ?? '/run';
  return {
    RUN_DIRECTORY: runDirectory,
    PIDFILE: `${runDirectory}/container-${facts.name}.pid`,
    CONF_DIRECTORY: '/etc',
    STATE_DIRECTORY: '/var/lib',
    UUID: manifestDefaults.UUID ?? facts.uuid,
    ALL_PROCESS_CAPABILITIES: formatCapabilities(facts.lastCapability),
    RUNTIME: facts.runtime,
    ATOMIC: facts.program,
  };
}

/** The command shapes, with their two spaces, are an interface (compatibility V-03). */
function buildForcedValues(facts: ValueFacts, pidfile: string) {
  const { name, runtime, pidfileMode } = facts;
  const command = facts.runtimeSupportsSystemdCgroup ? `${runtime} --systemd-cgroup` : runtime;
  const detachedCommand = facts.runtimeSupportsSystemdCgroup ? `${runtime}  --systemd-cgroup` : runtime;
  return {
    DESTDIR: facts.deployment,
    NAME: name,
    EXEC_START: pidfileMode
      ? `${detachedCommand} run -d --pid-file ${pidfile} '${name}'`
      : `${command} run '${name}'`,
    EXEC_STOP: pidfileMode ? '' : `${command} kill '${name}'`,
    EXEC_STARTPRE: '',
    EXEC_STOPPOST: pidfileMode ? `${runtime} delete '${name}'` : '',
    HOST_UID: facts.uid,
    HOST_GID: facts.gid,
    IMAGE_NAME: facts.imageName,
    IMAGE_ID: facts.imageId,
  };
}

/** Formats JSON strings for the inside of an array. */
function formatCapabilities(lastCapability: number): string {
  return `${listCapabilities(lastCapability)
    .map((name) => `"${name}"`)
    .join(',\n')}\n`;
}

/** Units contain the paths without quotes: a blank, `%` or `$` in a path would change the meaning of the line. */
function checkUnitPath(what: string, path: string): void {
  if (/^\/[A-Za-z0-9_./+:@-]*$/.test(path)) return;
  throw new AtomicError(
    'BAD_VALUE',
    `Cannot use the ${what} '${toPrintable(path)}': it cannot stand in a unit`,
    {
      hint: "Choose an absolute path of letters, digits and '_./+:@-'; a symbolic link will do.",
    },
  );
}
