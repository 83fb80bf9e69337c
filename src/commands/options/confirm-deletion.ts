import { AtomicError } from '../../base/errors.ts';
import type { Person } from './command.ts';
import { formatWords, isYes } from './deletion-view.ts';

/**
 * Asks for confirmation before a deletion.
 *
 * @param words the names of the objects as typed
 * @throws REFUSED in the words of the original (compatibility D-01), with exit status 2
 */
export async function confirmDeletion(
  person: Person,
  question: string,
  words: readonly string[],
): Promise<void> {
  const answer = await person.ask(question);
  if (isYes(answer)) return;
  throw new AtomicError(
    'REFUSED',
    `User aborted delete operation for ${formatWords(words)}`,
    answer === undefined ? { hint: 'No answer was given; with -y the answer is yes.' } : {},
  );
}
