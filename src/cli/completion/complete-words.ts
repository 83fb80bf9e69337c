/**
 * Finds what can stand at the end of a command line, from the tables of verbs and options. The shell compares the
 * candidates with the beginning of the word.
 */
import type { CommandSpec, OptionSpec } from '../arguments/command-spec.ts';
import { findMembers, helpTopics, isCalled, type VerbEntry } from '../arguments/find-verb.ts';
import { readGroup } from '../arguments/foreign-words.ts';
import { mapOptionNames } from '../arguments/parse-arguments.ts';
import { splitWords } from '../arguments/split-words.ts';
import { program } from '../help/format-overview.ts';
import { findValues, type Values } from './value-kinds.ts';

export interface Candidate {
  readonly text: string;
  readonly description: string;
}

type VerbCompletion<Verb extends VerbEntry> =
  | { readonly kind: 'candidates'; readonly candidates: readonly Candidate[] }
  /** The line has a verb; `rest` are the words after it. */
  | { readonly kind: 'verb'; readonly verb: Verb; readonly rest: readonly string[] };

export type ArgumentCompletion =
  | { readonly kind: 'candidates'; readonly candidates: readonly Candidate[] }
  | {
      readonly kind: 'values';
      readonly values: Values;
      /** What stands before the value in the same word: `--name=`. */
      readonly prefix: string;
      /** The beginning of the value. */
      readonly value: string;
      /** The values before it that are not given twice. */
      readonly given: readonly string[];
    };

/** @param words the command line without the program; the last one is being typed, and may be empty */
export function completeVerb<Verb extends VerbEntry>(
  words: readonly string[],
  verbs: readonly Verb[],
): VerbCompletion<Verb> {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const start = before.findIndex((candidate) => !candidate.startsWith('-'));
  const [first, second] = start < 0 ? [] : before.slice(start);
  if (first === undefined) return propose(word.startsWith('-') ? globalOptions : listFirst(verbs));
  const isHelp = first === 'help';
  if (isHelp && second === undefined) {
    return propose([...listFirst(verbs), ...helpTopics.map((text) => ({ text, description: '' }))]);
  }
  const group = readGroup((isHelp ? second : first) ?? '');
  const single = verbs.find((verb) => isCalled(verb, group));
  if (single !== undefined) {
    return isHelp ? propose([]) : { kind: 'verb', verb: single, rest: words.slice(start + 1) };
  }
  const position = start + (isHelp ? 2 : 1);
  const member = before[position];
  if (member === undefined) return propose(listSecond(group, verbs));
  const verb = verbs.find((candidate) => isCalled(candidate, `${group} ${member}`));
  if (verb === undefined || isHelp) return propose([]);
  return { kind: 'verb', verb, rest: words.slice(position + 1) };
}

/** @param words the words after the verb; the last one is being typed */
export function completeArgument(spec: CommandSpec, words: readonly string[]): ArgumentCompletion {
  const word = words.at(-1) ?? '';
  const names = mapOptionNames(spec.options);
  const find = (written: string): OptionSpec | undefined => spec.options[names.get(written) ?? ''];
  const takesValue = (written: string): boolean => ['value', 'list'].includes(find(written)?.kind ?? 'flag');
  // A word that is no option shows what the words before it expect.
  const tokens = splitWords([...words.slice(0, -1), 'x'], takesValue);
  const last = tokens.pop();
  if (last?.kind === 'option') return proposeValues(find(last.written), '', word);
  const isAfterDashes = last?.isAfterDashes === true;
  if (word.startsWith('-') && !isAfterDashes) {
    const [written = '', ...value] = word.split('=');
    if (value.length > 0) return proposeValues(find(written), `${written}=`, value.join('='));
    const used = tokens.flatMap((token) => (token.kind === 'option' ? (names.get(token.written) ?? []) : []));
    return propose(listOptions(spec, used, word));
  }
  const given = tokens.flatMap((token) => (token.kind === 'operand' ? [token.text] : []));
  const operands = Object.values(spec.operands);
  const expected = operands.filter(({ count }) => count !== 'after-dashes');
  if (isAfterDashes && expected.length < operands.length && given.length > 0) return propose([]);
  const final = expected.at(-1);
  const isOpen = final?.count === 'many' || final?.count === 'some';
  const operand = expected[given.length] ?? (isOpen ? final : undefined);
  if (operand !== undefined) return proposeValues(operand, '', word, given);
  return propose(word === '' && !isAfterDashes ? listOptions(spec, [], word) : []);
}

function propose(candidates: readonly Candidate[]): {
  readonly kind: 'candidates';
  readonly candidates: readonly Candidate[];
} {
  return { kind: 'candidates', candidates };
}

function proposeValues(
  spec: Parameters<typeof findValues>[0] | undefined,
  prefix: string,
  value: string,
  given: readonly string[] = [],
): ArgumentCompletion {
  if (spec === undefined) return propose([]);
  return { kind: 'values', values: findValues(spec), prefix, value, given };
}

/** Options for existing scripts are proposed when their beginning is typed. */
function listOptions(spec: CommandSpec, used: readonly string[], word: string): readonly Candidate[] {
  const options = Object.entries(spec.options)
    .filter(([name, { kind }]) => kind === 'list' || !used.includes(name))
    .filter(([, { isCompatibility }]) => isCompatibility !== true || word.length > '--'.length)
    .map(([name, { description }]) => ({ text: `--${name}`, description: shorten(description) }));
  return [...options, { text: '--help', description: 'Print the help of the verb' }];
}

const globalOptions: readonly Candidate[] = program.options.map(({ name, text }) => ({
  text: name.replace(/^.*(?=--)/, ''),
  description: shorten(text),
}));

function listFirst(verbs: readonly VerbEntry[]): readonly Candidate[] {
  const firsts = [...new Set(verbs.map(({ path }) => path.replace(/ .*/, '')))];
  return [
    ...firsts.map((first) => {
      const verb = verbs.find(({ path }) => path === first);
      const members = listSecond(first, verbs).map(({ text }) => text);
      return { text: first, description: verb === undefined ? members.join(', ') : shorten(verb.summary) };
    }),
    { text: 'help', description: 'Print the help of a verb' },
  ];
}

function listSecond(group: string, verbs: readonly VerbEntry[]): readonly Candidate[] {
  return findMembers(group, verbs).map(({ path, summary }) => ({
    text: path.slice(group.length + 1),
    description: shorten(summary),
  }));
}

/** The first sentence, without its full stop. */
function shorten(text: string): string {
  return text.replace(/[.;:] .*|\.$/s, '');
}
