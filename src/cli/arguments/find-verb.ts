import { toPrintable } from '../../base/printable.ts';
import { findSuggestion } from '../../base/suggest.ts';
import { findForeignAdvice, readGroup } from './foreign-words.ts';
import { buildUsageError } from './usage-error.ts';

/** A verb in the list of verbs. `path` has one word or two: `pull`, `images list`. */
export interface VerbEntry {
  readonly path: string;
  readonly summary: string;
  /** Other paths for existing scripts; the list of verbs does not show them. */
  readonly aliases?: readonly string[];
}

/** Options that stand before the verb (compatibility G-01). */
export interface GlobalOptions {
  readonly debug: boolean;
  readonly assumeYes: boolean;
}

export interface HelpRequest {
  readonly kind: 'help';
  /** A verb, the first word of verbs (`images`), a topic such as `files`, or empty for the program. */
  readonly topic: string;
  /** Whether `--help` asks, and not the verb `help`. */
  readonly isShort: boolean;
}

export type Request<Verb extends VerbEntry> =
  | { readonly kind: 'version' }
  | HelpRequest
  | {
      readonly kind: 'verb';
      readonly verb: Verb;
      /** The words after the verb. */
      readonly rest: readonly string[];
      readonly globals: GlobalOptions;
    }
  /** A shell asks for the candidates of the last word. */
  | { readonly kind: 'completion'; readonly words: readonly string[] };

/** The verb that only the completion of shells uses. */
const COMPLETE = '__complete';

/**
 * Reads a command line up to its verb.
 *
 * @param words the command line without the program
 * @throws BAD_OPTION, UNKNOWN_COMMAND
 */
export function findVerb<Verb extends VerbEntry>(
  words: readonly string[],
  verbs: readonly Verb[],
): Request<Verb> {
  let debug = false;
  let assumeYes = false;
  let index = 0;
  for (; words[index]?.startsWith('-'); index++) {
    const word = words[index];
    if (word === '-v' || word === '--version') {
      // A document has the versions of the other programs too.
      if (!words.includes('--json')) return { kind: 'version' };
      return findCommand(['version', '--json'], verbs, { debug, assumeYes });
    }
    if (word === '-h' || word === '--help') return { kind: 'help', topic: '', isShort: true };
    if (word === '--debug') debug = true;
    else if (word === '-y' || word === '--assumeyes') assumeYes = true;
    else throw buildUnknownGlobal(word ?? '');
  }
  const rest = words.slice(index);
  if (rest[0] === COMPLETE) return { kind: 'completion', words: rest.slice(1) };
  if (rest[0] === 'help') return { kind: 'help', topic: findTopic(rest.slice(1), verbs), isShort: false };
  return findCommand(rest, verbs, { debug, assumeYes });
}

function findCommand<Verb extends VerbEntry>(
  words: readonly string[],
  verbs: readonly Verb[],
  globals: GlobalOptions,
): Request<Verb> {
  const [written, second] = words;
  if (written === undefined)
    throw buildUsageError('UNKNOWN_COMMAND', 'Too few arguments: the verb is missing', '');
  const first = readGroup(written);
  const single = verbs.find((verb) => isCalled(verb, first));
  if (single !== undefined) return { kind: 'verb', verb: single, rest: words.slice(1), globals };
  const members = findMembers(first, verbs);
  if (members.length === 0) throw buildUnknownVerb(first, '', verbs);
  if (second === '-h' || second === '--help') return { kind: 'help', topic: first, isShort: true };
  if (second === undefined || second.startsWith('-')) {
    const list = members.find(({ path }) => path === `${first} list`);
    const hint = list && `Did you mean 'atomic ${list.path}'?`;
    throw buildUsageError('UNKNOWN_COMMAND', `Too few arguments: '${first}' needs a verb`, first, hint);
  }
  const verb = verbs.find((member) => isCalled(member, `${first} ${second}`));
  if (verb === undefined) throw buildUnknownVerb(second, first, verbs);
  return { kind: 'verb', verb, rest: words.slice(2), globals };
}

/** What `atomic help` explains beside verbs; `help/topics.ts` has the texts. */
export const helpTopics: readonly string[] = ['exit-status', 'files'];

/** The topic of `atomic help WORD...`. */
function findTopic(words: readonly string[], verbs: readonly VerbEntry[]): string {
  const topic = words.filter((word) => word !== '-h' && word !== '--help').join(' ');
  if (topic === '' || topic === 'help') return '';
  const verb = verbs.find((candidate) => isCalled(candidate, topic));
  if (verb !== undefined) return verb.path;
  if (findMembers(topic, verbs).length > 0 || helpTopics.includes(topic)) return topic;
  throw buildUnknownVerb(topic, '', verbs);
}

/** Whether a verb has this path or alias. */
export function isCalled({ path, aliases = [] }: VerbEntry, written: string): boolean {
  return path === written || aliases.includes(written);
}

/** Lists the verbs of two words whose first one is `word`. */
export function findMembers<Verb extends VerbEntry>(word: string, verbs: readonly Verb[]): readonly Verb[] {
  return verbs.filter((verb) => verb.path.startsWith(`${word} `));
}

function listFirstWords(verbs: readonly VerbEntry[]): readonly string[] {
  return [...new Set([...verbs.map((verb) => verb.path.replace(/ .*/, '')), 'help'])];
}

/** @param group the first word, of which the verb is a member; empty for a verb of one word */
function buildUnknownVerb(word: string, group: string, verbs: readonly VerbEntry[]): Error {
  const written = group === '' ? word : `${group} ${word}`;
  return buildUsageError(
    'UNKNOWN_COMMAND',
    `Unknown verb '${toPrintable(written, 80)}'`,
    group,
    findForeignAdvice(word) ?? proposeVerb(word, group, verbs),
  );
}

/** Proposes the same word in another group, otherwise a similar word in this one. */
function proposeVerb(word: string, group: string, verbs: readonly VerbEntry[]): string | undefined {
  const paths = verbs.map(({ path }) => path);
  const same = paths.find((path) => path.split(' ').at(-1) === word);
  const others = group === '' ? [...listFirstWords(verbs), ...paths] : paths;
  const prefix = group === '' ? '' : `${group} `;
  const candidates = others.flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
  const similar = findSuggestion(word, candidates);
  const proposal = same ?? (similar && `${prefix}${similar}`);
  return proposal && `Did you mean 'atomic ${proposal}'?`;
}

function buildUnknownGlobal(word: string): Error {
  const suggestion = findSuggestion(word, ['--help', '--version', '--debug', '--assumeyes']);
  return buildUsageError(
    'BAD_OPTION',
    `Unknown option '${toPrintable(word, 80)}'`,
    '',
    suggestion === undefined
      ? 'Write the options of a verb after the verb.'
      : `Did you mean '${suggestion}'?`,
  );
}
