/**
 * The options by which a person changes the service of an image: `--volume`, `--env`, `--memory` and so on. They are
 * recorded as they are typed, and each deployment applies them to its own `config.json`.
 */
import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { findOptionKey } from './option-keys.ts';

/** `list`: each value has a key, such as the destination of a volume. `args` is the list after `--`. */
const kinds = {
  volume: 'list',
  tmpfs: 'list',
  device: 'list',
  env: 'list',
  user: 'value',
  'cap-add': 'list',
  'cap-drop': 'list',
  'security-opt': 'value',
  ulimit: 'list',
  memory: 'value',
  cpus: 'value',
  'pids-limit': 'value',
  'stop-timeout': 'value',
  network: 'value',
  entrypoint: 'value',
  args: 'words',
} as const;

export type OptionName = keyof typeof kinds;

/** The values of each option that is given, in their order; an option that is not given has no key. */
export type ServiceOptions = { readonly [Name in OptionName]?: readonly string[] };

const optionNames = Object.keys(kinds) as readonly OptionName[];

export const noOptions: ServiceOptions = {};

export function isOptionName(text: string): text is OptionName {
  return Object.hasOwn(kinds, text);
}

/** A change of the options of a container. */
export interface OptionChange {
  readonly set: ServiceOptions;
  /** Words of `--reset`: `memory`, `env` or `env=NAME`. */
  readonly reset: readonly string[];
}

/**
 * Applies a change to the options that a person has given before. A value of a list replaces the value with its key.
 *
 * @throws BAD_VALUE when an option to reset was not given, when it is given and reset at once, and when a key is given
 *   twice
 */
export function changeOptions(before: ServiceOptions, { set, reset }: OptionChange): ServiceOptions {
  const kept = reset.reduce((options, word) => resetOption(options, word, set), before);
  const names = optionNames.filter((name) => (kept[name] ?? set[name]) !== undefined);
  return Object.fromEntries(names.map((name) => [name, mergeValues(name, kept[name] ?? [], set[name])]));
}

export function isSameOptions(first: ServiceOptions, second: ServiceOptions): boolean {
  return optionNames.every((name) => JSON.stringify(first[name]) === JSON.stringify(second[name]));
}

interface OptionDifference {
  readonly name: OptionName;
  /** `undefined`: the option has no value of this key. */
  readonly before: string | undefined;
  readonly after: string;
}

/** Lists the values of `wanted` that `given` does not have, with the value that has the same key there. */
export function findMissing(given: ServiceOptions, wanted: ServiceOptions): readonly OptionDifference[] {
  return optionNames.flatMap((name): OptionDifference[] => {
    if (name === 'args') {
      const [before, after] = [given.args, wanted.args];
      if (after === undefined || JSON.stringify(before) === JSON.stringify(after)) return [];
      return [{ name, before: before?.join(' '), after: after.join(' ') }];
    }
    const find = (value: string): string | undefined =>
      given[name]?.find(
        (one) => kinds[name] === 'value' || findOptionKey(name, one) === findOptionKey(name, value),
      );
    return (wanted[name] ?? [])
      .map((value) => ({ name, before: find(value), after: value }))
      .filter(({ before, after }) => before !== after);
  });
}

/** Formats the options as a person types them: `--env WORD=a`. */
export function formatOptions(options: ServiceOptions): readonly string[] {
  return optionNames.flatMap((name) => {
    const values = options[name] ?? [];
    if (name === 'args') return values.length === 0 ? [] : [`-- ${values.join(' ')}`];
    return values.map((value) => `--${name} ${value}`);
  });
}

function mergeValues(
  name: OptionName,
  before: readonly string[],
  given: readonly string[] | undefined,
): readonly string[] {
  if (given === undefined) return before;
  if (kinds[name] !== 'list') return given;
  const unique = dropRepeated(name, given);
  const keys = unique.map((value) => findOptionKey(name, value));
  return [...before.filter((value) => !keys.includes(findOptionKey(name, value))), ...unique];
}

/** The last of several values of a variable counts, as in a shell; equal values count once. */
function dropRepeated(name: OptionName, values: readonly string[]): readonly string[] {
  const byKey = new Map<string, string>();
  for (const value of values) {
    const key = findOptionKey(name, value);
    const other = byKey.get(key);
    if (other !== undefined && other !== value && name !== 'env') {
      throw new AtomicError(
        'BAD_VALUE',
        `--${name} names ${toPrintable(key, 120)} twice: '${toPrintable(other, 120)}' and '${toPrintable(value, 120)}'`,
        { hint: 'Leave one of them out.' },
      );
    }
    byKey.set(key, value);
  }
  return [...byKey.values()];
}

function resetOption(options: ServiceOptions, word: string, set: ServiceOptions): ServiceOptions {
  const [, written = word, key] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
  const name = written.replace(/^--/, '');
  const values = isOptionName(name) ? options[name] : undefined;
  const shown = toPrintable(word, 120);
  if (!isOptionName(name) || values === undefined) {
    const given = optionNames.filter((one) => options[one] !== undefined);
    throw new AtomicError('BAD_VALUE', `--reset ${shown}: the container has no such option`, {
      hint: given.length === 0 ? 'It has no options.' : `It has ${given.join(', ')}.`,
    });
  }
  if (key === undefined && set[name] !== undefined) {
    throw new AtomicError('BAD_VALUE', `--reset ${shown} and --${name} exclude each other`, {
      hint: 'Use one of them.',
    });
  }
  const kept = key === undefined ? [] : values.filter((value) => findOptionKey(name, value) !== key);
  if (kept.length === values.length) {
    throw new AtomicError('BAD_VALUE', `--reset ${shown}: the container has no such --${name}`, {
      hint: `It has ${toPrintable(values.map((value) => findOptionKey(name, value)).join(', '), 400)}.`,
    });
  }
  const { [name]: _, ...others } = options;
  return kept.length === 0 ? others : { ...others, [name]: kept };
}

/** Builds the error for a value that an option cannot have: `--memory '1k': it is less than 6 MiB`. */
export function rejectOption(option: OptionName, value: string, reason: string, hint: string): AtomicError {
  return new AtomicError('BAD_VALUE', `${formatOption(option, toPrintable(value, 120))}: ${reason}`, {
    hint,
  });
}

/** How messages name an option with its value; the arguments of the command have no option. */
export function formatOption(option: OptionName, value: string): string {
  return option === 'args' ? `argument '${value}'` : `--${option} '${value}'`;
}
