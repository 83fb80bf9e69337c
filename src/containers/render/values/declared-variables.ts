/** `variables` of `/exports/manifest.json`: what the author of an image says about the values of its variables. */
import { expectArray, expectBoolean, expectObject, expectString } from '../../../base/json-shape.ts';
import type { JsonObject, Reject } from '../../../base/json-text.ts';
import { toPrintable } from '../../../base/printable.ts';
import { findSuggestion } from '../../../base/suggest.ts';
import { isVariableName, type TemplateValues } from './template.ts';
import { forcedVariables } from './values.ts';
import {
  findTypeFault,
  isVariableTypeName,
  type VariableTypeName,
  variableTypeNames,
} from './variable-types.ts';

interface DeclaredVariable {
  readonly type: VariableTypeName;
  readonly help: string;
  /** Must have a value that is not empty. */
  readonly isRequired: boolean;
  /** Given as a file with `--secret`. The value in templates is the path of that file in the container. */
  readonly isSecret: boolean;
  /** All possible values; empty when every value of the type is possible. */
  readonly choices: readonly string[];
}

export type DeclaredVariables = ReadonlyMap<string, DeclaredVariable>;

/** The keys of one variable. */
export const variableKeys: readonly string[] = ['type', 'default', 'help', 'required', 'secret', 'choices'];

const MAX_VARIABLES = 1000;

/**
 * @param defaults `defaultValues` of the manifest
 * @returns the variables, and the defaults with those of the variables
 */
export function parseVariables(
  value: unknown,
  defaults: Readonly<Record<string, string>>,
  reject: Reject,
): { readonly variables: DeclaredVariables; readonly defaultValues: Readonly<Record<string, string>> } {
  const entries = Object.entries(expectObject(value, 'variables', reject));
  if (entries.length > MAX_VARIABLES) throw reject(`variables has more than ${MAX_VARIABLES} names`);
  const merged = new Map(Object.entries(defaults));
  const variables = new Map<string, DeclaredVariable>();
  for (const [name, item] of entries) {
    const where = `variables.${name}`;
    if (!isVariableName(name)) throw reject(`${where} is no name of a variable`);
    if (forcedVariables.has(name)) throw reject(`${where}: atomic decides the value of ${name}`);
    const object = expectObject(item, where, reject);
    const variable = parseVariable(object, where, reject);
    const fallback = parseDefault(object.default, merged.get(name), where, reject);
    if (fallback !== undefined) merged.set(name, fallback);
    if (variable.isSecret && fallback !== undefined) throw reject(`${where} is a secret, and has a default`);
    const fault = fallback ? findValueFault(variable, fallback) : undefined;
    if (fault !== undefined) throw reject(`${where}.default is not ${fault}`);
    variables.set(name, variable);
  }
  return { variables, defaultValues: Object.fromEntries(merged) };
}

function parseVariable(object: JsonObject, where: string, reject: Reject): DeclaredVariable {
  const type = expectString(object.type, `${where}.type`, reject) || 'string';
  if (!isVariableTypeName(type)) {
    const meant = findSuggestion(type, variableTypeNames);
    const proposal = meant === undefined ? '' : `; did you mean ${meant}?`;
    throw reject(`${where}.type is none of ${variableTypeNames.join(', ')}${proposal}`);
  }
  const choices = expectArray(object.choices, `${where}.choices`, reject).map((choice, index) =>
    parseValue(choice, `${where}.choices[${index}]`, reject),
  );
  const bad = choices.find((choice) => findTypeFault(type, choice) !== undefined);
  if (bad !== undefined) {
    throw reject(`${where}.choices: '${toPrintable(bad, 60)}' is not ${findTypeFault(type, bad)}`);
  }
  return {
    ...{ type, choices },
    help: expectString(object.help, `${where}.help`, reject),
    isRequired: expectBoolean(object.required, `${where}.required`, false, reject),
    isSecret: expectBoolean(object.secret, `${where}.secret`, false, reject),
  };
}

/** @param other the value of `defaultValues`, which the original tool reads */
function parseDefault(
  value: unknown,
  other: string | undefined,
  where: string,
  reject: Reject,
): string | undefined {
  if (value === undefined || value === null) return other;
  const text = parseValue(value, `${where}.default`, reject);
  if (other !== undefined && other !== text) throw reject(`${where}.default differs from defaultValues`);
  return text;
}

function parseValue(value: unknown, where: string, reject: Reject): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return value;
  throw reject(`${where} must be a string, a number, true or false`);
}

/** @returns the end of "PORT=x is not ..."; `undefined` for a right value */
function findValueFault({ type, choices }: DeclaredVariable, text: string): string | undefined {
  if (choices.length > 0 && !choices.includes(text)) return `one of ${choices.join(', ')}`;
  return findTypeFault(type, text);
}

interface ValuesToCheck {
  readonly values: TemplateValues;
  /** Those of them that the person set, now or earlier. */
  readonly set: Readonly<Record<string, string>>;
  /** The names of the secrets that the person gave. */
  readonly secrets: readonly string[];
}

/**
 * Compares values with their declarations. An empty value means that there is none.
 *
 * @returns sentences, which do not contain a value that should be secret
 */
export function listWrongValues(
  variables: DeclaredVariables,
  { values, set, secrets }: ValuesToCheck,
): readonly string[] {
  return [...variables].flatMap(([name, variable]) => {
    const { isSecret, isRequired } = variable;
    if (isSecret && Object.hasOwn(set, name)) {
      return [`${name} is a secret, which --secret ${name}=PATH gives and --set does not`];
    }
    if (isSecret) {
      return isRequired && !secrets.includes(name) ? [`${name} is missing: --secret ${name}=PATH`] : [];
    }
    const value = Object.hasOwn(values, name) ? String(values[name]) : '';
    if (value === '') return isRequired ? [`${name} is missing: --set ${name}=VALUE`] : [];
    const fault = findValueFault(variable, value);
    return fault === undefined ? [] : [`${name}=${toPrintable(value, 60)} is not ${fault}`];
  });
}
