import type { DeclaredVariables } from './declared-variables.ts';
import { listVariables } from './template.ts';
import { forcedVariables, systemVariables } from './values.ts';

/** The variables that `install --set` may or must give (compatibility M-40). */
export interface ImageVariables {
  /** Name -> default, sorted; `undefined` when the system gives the value. */
  readonly optional: ReadonlyMap<string, string | undefined>;
  /** Names without a default, sorted. */
  readonly required: readonly string[];
  /** What the manifest says about variables, and about secrets, which are in neither list. */
  readonly declared: DeclaredVariables;
}

/**
 * Sorts the variables of templates by the source of their values. Variables that cannot be set are in neither list.
 *
 * @param templates texts; invalid placeholders in them are ignored
 * @param defaults the default values of the image
 * @param declared the variables of its manifest
 */
export function sortVariables(
  templates: readonly string[],
  defaults: Readonly<Record<string, string>>,
  declared: DeclaredVariables,
): ImageVariables {
  const used = [...templates.flatMap(listVariables), ...declared.keys()];
  const names = [...new Set(used)]
    .filter((name) => !forcedVariables.has(name) && declared.get(name)?.isSecret !== true)
    .sort();
  const optional = names.filter((name) => systemVariables.has(name) || Object.hasOwn(defaults, name));
  return {
    optional: new Map(optional.map((name) => [name, findDefault(name, defaults)])),
    required: names.filter((name) => !optional.includes(name)),
    declared,
  };
}

/** Defaults of the system override those of an image, except for UUID (compatibility V-02). */
function findDefault(name: string, defaults: Readonly<Record<string, string>>): string | undefined {
  if (systemVariables.has(name) && name !== 'UUID') return undefined;
  return Object.hasOwn(defaults, name) ? defaults[name] : undefined;
}
