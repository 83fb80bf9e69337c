/**
 * The origins of the values of a container. An update keeps values that a person set and generated values. It takes the
 * defaults of the new image, and determines the values of the system again.
 */
import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { findSuggestion } from '../../../base/suggest.ts';
import type { TemplateValues } from './template.ts';
import { forcedVariables, systemVariables } from './values.ts';

const originNames = ['person', 'image', 'system', 'generated', 'secret'] as const;
type ValueOrigin = (typeof originNames)[number];
export type ValueOrigins = Readonly<Record<string, ValueOrigin>>;

export function isValueOrigin(text: string): text is ValueOrigin {
  return originNames.some((name) => name === text);
}

/** A random value that is generated once and then kept. */
const GENERATED = 'UUID';

/**
 * Finds the origin of each value of a deployment.
 *
 * @param set the values that the person set, now or earlier
 * @param imageDefaults `defaultValues` of the image
 * @param secrets names of secrets, whose values are paths
 */
export function findOrigins(
  values: TemplateValues,
  set: Readonly<Record<string, string>>,
  imageDefaults: Readonly<Record<string, string>>,
  secrets: readonly string[] = [],
): ValueOrigins {
  return mapNames(values, (name) => {
    if (secrets.includes(name)) return 'secret';
    if (Object.hasOwn(set, name) && !forcedVariables.has(name)) return 'person';
    if (name === GENERATED) return Object.hasOwn(imageDefaults, name) ? 'image' : 'generated';
    return isOfSystem(name) ? 'system' : 'image';
  });
}

/**
 * Infers the origins for a deployment whose `info` does not have them, because the original tool wrote it: a value that
 * equals the default of its image came from the image. A variable of the system came from the system, except for paths
 * that differ from the defaults of the system.
 *
 * @param imageDefaults `defaultValues` of the image of the deployment; empty when the image is unknown
 */
export function inferOrigins(
  values: TemplateValues,
  imageDefaults: Readonly<Record<string, string>>,
): ValueOrigins {
  return mapNames(values, (name, value) => {
    if (name === GENERATED) return 'generated';
    const usual = usualPaths[name];
    if (usual !== undefined) return value === usual ? 'system' : 'person';
    if (isOfSystem(name)) return 'system';
    return Object.hasOwn(imageDefaults, name) && imageDefaults[name] === value ? 'image' : 'person';
  });
}

/** The values that a person has set. */
export function listSetValues(
  values: TemplateValues,
  origins: ValueOrigins,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => origins[name] === 'person')
      .map(([name, value]) => [name, String(value)]),
  );
}

export interface ValueChange {
  /** `--set` values. */
  readonly set: Readonly<Record<string, string>>;
  /** Names of `--unset`. */
  readonly unset: readonly string[];
}

/**
 * Applies `--set` and `--unset` to the values that a person has set before.
 *
 * @throws BAD_VALUE when a name to unset was not set, or when `--set` names it too
 */
export function changeSetValues(
  before: Readonly<Record<string, string>>,
  { set, unset }: ValueChange,
): Readonly<Record<string, string>> {
  for (const name of unset) {
    if (Object.hasOwn(set, name)) {
      throw new AtomicError('BAD_VALUE', `--set and --unset both name ${toPrintable(name)}`, {
        hint: 'Use one of them.',
      });
    }
    if (!Object.hasOwn(before, name)) {
      const names = Object.keys(before).sort();
      const meant = findSuggestion(name, names);
      const proposal = meant === undefined ? '' : `Did you mean ${meant}? `;
      throw new AtomicError('BAD_VALUE', `--unset ${toPrintable(name)}: no value was set for it`, {
        hint:
          names.length === 0 ? 'No value was set.' : `${proposal}Values were set for ${names.join(', ')}.`,
      });
    }
  }
  const kept = Object.entries(before).filter(([name]) => !unset.includes(name));
  return { ...Object.fromEntries(kept), ...set };
}

const usualPaths: Readonly<Record<string, string>> = {
  RUN_DIRECTORY: '/run',
  CONF_DIRECTORY: '/etc',
  STATE_DIRECTORY: '/var/lib',
};

function isOfSystem(name: string): boolean {
  return forcedVariables.has(name) || systemVariables.has(name);
}

function mapNames(
  values: TemplateValues,
  find: (name: string, value: string | number) => ValueOrigin,
): ValueOrigins {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, find(name, value)]));
}
