import { completeArgument, completeVerb } from '../../cli/completion/complete-words.ts';
import { formatCandidates } from '../../cli/completion/format-candidates.ts';
import type { Output } from '../options/command.ts';
import type { Caller } from '../run-verb.ts';
import { openHost } from '../run-verb.ts';
import { verbs } from '../verbs.ts';

/**
 * Prints the candidates for the last word of a command line, for the functions in `packaging/completion`.
 *
 * @param words the command line without the program
 */
export async function runCompletion(words: readonly string[], caller: Caller): Promise<Output> {
  const found = completeVerb(words, verbs);
  if (found.kind === 'candidates') return { text: formatCandidates(found.candidates) };
  const completion = completeArgument(await found.verb.load(), found.rest);
  if (completion.kind === 'candidates') return { text: formatCandidates(completion.candidates) };
  const host = await openHost(
    caller,
    () => {},
    () => {},
  );
  const { listValues } = await import('./list-values.ts');
  const { texts, path } = await listValues(host, completion);
  const { prefix } = completion;
  const candidates = texts.map((text) => ({ text: `${prefix}${text}`, description: '' }));
  return {
    text: formatCandidates(candidates, path && { kind: path.kind, after: `${prefix}${path.after}` }),
  };
}
