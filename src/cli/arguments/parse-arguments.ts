import { toPrintable } from '../../base/printable.ts';
import { findSuggestion } from '../../base/suggest.ts';
import type { CommandSpec, Input, OperandSpec, OptionSpec, OptionTable } from './command-spec.ts';
import { splitWords, type Token } from './split-words.ts';
import { buildUsageError } from './usage-error.ts';

/** The words after a verb: a request for help, or the input of the command. */
export type Arguments = { readonly kind: 'help' } | { readonly kind: 'input'; readonly input: Input };

/**
 * Parses the words after a verb. Options may be before, between and after the operands; `--` ends them.
 *
 * @param topic the verb, for the messages
 * @throws BAD_OPTION for everything that the tables of `spec` do not allow
 */
export function parseArguments(topic: string, spec: CommandSpec, words: readonly string[]): Arguments {
  const names = mapOptionNames(spec.options);
  const find = (written: string): OptionSpec | undefined => spec.options[names.get(written) ?? ''];
  const takesValue = (written: string): boolean => ['value', 'list'].includes(find(written)?.kind ?? 'flag');
  const values = buildDefaults(spec.options);
  const operands: string[] = [];
  const afterDashes: string[] = [];
  let separate: (Token & { kind: 'option' }) | undefined;
  for (const token of splitWords(words, takesValue)) {
    if (token.kind === 'operand') {
      (token.isAfterDashes ? afterDashes : operands).push(token.text);
      continue;
    }
    if (token.written === '--help' || token.written === '-h') return { kind: 'help' };
    const name = names.get(token.written);
    const option = find(token.written);
    if (name === undefined || option === undefined) throw buildUnknownOption(token.written, topic, names);
    if (option.kind === 'switch' && !token.isInline) refuseSeparateValue(words, token.written, topic);
    const value = readValue(token, option, topic);
    if (takesValue(token.written) && !token.isInline) separate = token;
    const previous = values.get(name);
    values.set(name, Array.isArray(previous) ? [...previous, value] : value);
  }
  // The tables decide the type of each value; `Input` states the same in types.
  const input = {
    options: Object.fromEntries(values),
    operands: readOperands({ operands, afterDashes, separate }, spec, topic),
  } as Input;
  return { kind: 'input', input };
}

/** The value of a switch must be in the same word. In the next word it would be an operand, and the switch true. */
function refuseSeparateValue(words: readonly string[], written: string, topic: string): void {
  const next = words[words.indexOf(written) + 1];
  if (next !== 'true' && next !== 'false') return;
  throw buildUsageError(
    'BAD_OPTION',
    `The value of option '${written}' must follow an equals sign`,
    topic,
    `Write ${written}=${next} .`,
  );
}

type Value = boolean | string | readonly string[] | undefined;

function readValue(
  { written, value, isInline }: Token & { kind: 'option' },
  option: OptionSpec,
  topic: string,
): boolean | string {
  if (option.kind === 'flag') {
    if (value === undefined) return true;
    throw buildUsageError('BAD_OPTION', `Option '${written}' takes no value`, topic);
  }
  if (option.kind === 'switch') {
    if (value === undefined || value === 'true') return true;
    if (value === 'false') return false;
    throw buildUsageError(
      'BAD_OPTION',
      `Invalid value '${toPrintable(value, 80)}' of option '${written}': it must be true or false`,
      topic,
    );
  }
  if (option.kind === 'optional') return value ?? '';
  if (value === undefined) {
    throw buildUsageError('BAD_OPTION', `Option '${written}' needs a value: ${option.label}`, topic);
  }
  if (!isInline && value.length > 1 && value.startsWith('-')) {
    throw buildUsageError(
      'BAD_OPTION',
      `Option '${written}' needs a value: ${option.label}; '${toPrintable(value, 80)}' looks like an option`,
      topic,
      `If it is meant, write ${written}=${toPrintable(value, 80)} .`,
    );
  }
  return value;
}

interface Words {
  /** Before and after `--`. */
  readonly operands: readonly string[];
  readonly afterDashes: readonly string[];
  /** The last option with its value in the next word, which may have been meant as an operand. */
  readonly separate: (Token & { kind: 'option' }) | undefined;
}

function readOperands(
  { operands, afterDashes, separate }: Words,
  spec: CommandSpec,
  topic: string,
): Readonly<Record<string, Value>> {
  const entries = Object.entries(spec.operands);
  const isLast = ([, { count }]: (typeof entries)[number]): boolean => count === 'after-dashes';
  const expected = entries.filter((entry) => !isLast(entry));
  // Without an operand before it, `--` only ends the options.
  const takesRest = entries.some(isLast) && operands.length > 0;
  const words = takesRest ? operands : [...operands, ...afterDashes];
  const isOpen = takesSeveral(expected.at(-1)?.[1]);
  const extra = isOpen ? undefined : words[expected.length];
  if (extra !== undefined) {
    const hint = entries.some(isLast) ? 'Arguments of the service follow --.' : undefined;
    throw buildUsageError('BAD_OPTION', `Too many arguments: '${toPrintable(extra, 80)}'`, topic, hint);
  }
  const rest = entries.filter(isLast).map(([name]) => [name, takesRest ? afterDashes : []] as const);
  return Object.fromEntries([
    ...rest,
    ...expected.map(([name, { label, count, missing }], index) => {
      const word = words[index];
      if (word === undefined && (count === undefined || count === 'some')) {
        throw buildUsageError(
          'BAD_OPTION',
          `Too few arguments: ${label} is missing`,
          topic,
          separate
            ? `'${toPrintable(separate.value ?? '', 80)}' is the value of ${separate.written}.`
            : missing,
        );
      }
      return [name, takesSeveral({ count }) ? words.slice(index) : word] as const;
    }),
  ]);
}

function takesSeveral(operand: Pick<OperandSpec, 'count'> | undefined): boolean {
  return operand?.count === 'many' || operand?.count === 'some';
}

/** Maps each way to write an option, with its dashes, to its name in the table. */
export function mapOptionNames(options: OptionTable): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(options).flatMap(([name, { short, aliases = [] }]) => {
      const long = [name, ...aliases].map((alias) => `--${alias}`);
      return [...long, ...(short === undefined ? [] : [`-${short}`])].map((written) => [written, name]);
    }),
  );
}

function buildDefaults(options: OptionTable): Map<string, Value> {
  return new Map(
    Object.entries(options).map(([name, { kind }]) => [
      name,
      kind === 'flag' ? false : kind === 'list' ? [] : undefined,
    ]),
  );
}

function buildUnknownOption(written: string, topic: string, names: ReadonlyMap<string, string>): Error {
  const known = [...names.keys(), '--help'].filter((name) => name.startsWith('--'));
  const suggestion = written.startsWith('--')
    ? findSuggestion(
        written.slice(2),
        known.map((name) => name.slice(2)),
      )
    : undefined;
  return buildUsageError(
    'BAD_OPTION',
    `Unknown option '${toPrintable(written, 80)}'`,
    topic,
    suggestion && `Did you mean '--${suggestion}'?`,
  );
}
