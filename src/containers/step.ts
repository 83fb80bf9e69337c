/**
 * Steps: the small changes that operations on containers consist of. A step leads to a state, from any state that a crash
 * can leave, so it may be repeated. The way to undo a step is the step to the former state. A journal is two lists of
 * steps (journal-format.ts); `steps/` carries them out.
 */
import { isJsonObject } from '../base/json-text.ts';
import type { DeploymentNumber } from './deployment.ts';

/** A deployment under one of its names, see `buildDeploymentFolder`. */
export interface DeploymentPlace {
  readonly number: DeploymentNumber;
  readonly state: 'final' | 'new' | 'previous' | 'old';
}

/** One unit of a `reload`: the deployment whose unit was there, and the one whose unit is there now. */
interface ReloadedUnit {
  readonly container: string;
  readonly from: DeploymentPlace;
  readonly to: DeploymentNumber;
  readonly isEnabled: boolean;
}

/** The fields of each step, also in the JSON of a journal. */
const shapes = {
  /** Stops the service unless the symlink names deployment `unless`: then the service still runs from that one. */
  stop: { container: isText, unless: isNumber },
  /** Starts units that ran before, in the order that systemd chooses. */
  start: { units: isTexts },
  /** As `start`, but only reports a failure. */
  'start-again': { container: isText, units: isTexts },
  /** Points the symlink to deployment `to`. For null, removes it if it names deployment `from`, or if `from` is null. */
  link: { container: isText, from: orNull(isNumber), to: orNull(isNumber) },
  /** Renames a deployment to the name of one that is being removed, and restores the previous one. */
  'set-aside': { container: isText, number: isNumber, hasPrevious: isBoolean },
  /** Restores the state of deployment `source`; deployment `keeper` gets the present one, null for none. */
  state: { container: isText, folder: isText, source: isNumber, keeper: orNull(isNumber) },
  /** Replaces the host files of the deployments `from`, as far as they exist, by those of `to`; null for none. */
  'host-files': { container: isText, from: listOf(isPlace), to: orNull(isNumber) },
  /** Restores the unit and the tmpfiles.d file of deployment `to` on the host. */
  'unit-files': { container: isText, to: isNumber },
  /** Removes what the replacement of deployment `from` by `to` has kept for the way back: symlink, units, host files. */
  'drop-spares': { container: isText, from: isNumber, to: isNumber },
  /** Reloads systemd, once for several containers. */
  reload: { units: listOf(isReloadedUnit) },
  /** Restores a file from its copy in deployment `number`. An edited file is kept beside it. */
  restore: { container: isText, number: isNumber, file: isRestorable },
  /** Enables the service. */
  enable: { container: isText },
  /** Carries out the tmpfiles.d file of deployment `number`. */
  'create-paths': { container: isText, number: isNumber },
  /** Registers a deployment with systemd, and enables its service. */
  activate: { container: isText, number: isNumber },
  /** Undoes `activate`, except for the host files. */
  deactivate: { container: isText, number: isNumber },
  /** Removes the symlinks that enable the service. */
  disable: { container: isText },
  /** Removes the unit and the tmpfiles.d file, and the paths that the latter removes. */
  unregister: { container: isText, hasService: isBoolean, runtime: orNull(isText) },
  /** Removes the empty folders below `/run` that only deployment `made` has created, and not deployment `keeper`. */
  'remove-created-folders': { container: isText, made: isPlace, keeper: isNumber },
  /** Removes folders of deployments. */
  remove: { container: isText, places: listOf(isPlace) },
  /** Removes folders of volumes, and the empty folders above them. */
  'remove-volumes': { container: isText, root: isText, folders: isTexts, parents: isTexts },
  /** Marks folders that an uninstall leaves: a later container of the name finds its own ones. */
  'mark-folders': { container: isText, folders: isTexts },
  /** Removes the records of a container that are not in its deployments. */
  forget: { container: isText },
};

type Checked<Shape> = {
  readonly [Field in keyof Shape]: Shape[Field] extends (value: unknown) => value is infer Type
    ? Type
    : never;
};

/** @template Kind narrows it to steps of one kind */
export type Step<Kind extends keyof typeof shapes = keyof typeof shapes> = {
  [Name in Kind]: { readonly step: Name } & Checked<(typeof shapes)[Name]>;
}[Kind];

export function isStep(value: unknown): value is Step {
  if (!isJsonObject(value) || typeof value.step !== 'string' || !Object.hasOwn(shapes, value.step))
    return false;
  const [, shape] = Object.entries(shapes).find(([name]) => name === value.step) ?? [];
  if (shape === undefined) return false;
  return Object.entries<(field: unknown) => boolean>(shape).every(([field, isRight]) =>
    isRight(value[field]),
  );
}

/** Lists the containers that a step changes by their names. */
export function listContainersOf(step: Step): readonly string[] {
  if ('container' in step) return [step.container];
  return step.step === 'reload' ? step.units.map(({ container }) => container) : [];
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

export function isNumber(value: unknown): value is DeploymentNumber {
  return value === 0 || value === 1;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isRestorable(value: unknown): value is 'config' | 'tmpfiles' | 'unit' {
  return value === 'config' || value === 'tmpfiles' || value === 'unit';
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isPlace(value: unknown): value is DeploymentPlace {
  if (!isJsonObject(value)) return false;
  return isNumber(value.number) && ['final', 'new', 'previous', 'old'].some((state) => state === value.state);
}

function isReloadedUnit(value: unknown): value is ReloadedUnit {
  if (!isJsonObject(value) || !isText(value.container)) return false;
  return isPlace(value.from) && isNumber(value.to) && isBoolean(value.isEnabled);
}

function orNull<Type>(isType: (value: unknown) => value is Type) {
  return (value: unknown): value is Type | null => value === null || isType(value);
}

function listOf<Type>(isType: (value: unknown) => value is Type) {
  return (value: unknown): value is readonly Type[] => Array.isArray(value) && value.every(isType);
}
