/** The question before a deletion, and the list of what is deleted. */
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { formatTable } from '../../cli/output/format-table.ts';
import type { Person } from './command.ts';

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

interface DeletedName {
  readonly reference: string;
  readonly id: string | undefined;
}

/** Formats the question of `images delete` in the words of the original (compatibility M-10, D-01). */
export function formatDeletionQuestion(names: readonly DeletedName[]): string {
  return `Do you wish to delete the following images?\n\n${formatNames(names)}\nConfirm (y/N) `;
}

/** Formats the list of deleted images when no question showed it. */
export function formatDeletion(names: readonly DeletedName[]): string {
  return `The following images will be deleted.\n\n${formatNames(names)}`;
}

/** Whether an answer means yes. */
export function isYes(answer: string | undefined): boolean {
  return /^\s*y(?:es)?\s*$/i.test(answer ?? '');
}

/** Formats words as the original did: `['etcd', 'flannel']`. */
export function formatWords(words: readonly string[]): string {
  return `[${words.map((word) => `'${toPrintable(word)}'`).join(', ')}]`;
}

function formatNames(names: readonly DeletedName[]): string {
  const columns = [
    { title: 'IMAGE', read: ({ reference }: DeletedName) => reference },
    { title: 'STORAGE', read: () => 'ostree' },
  ];
  return formatTable(names, columns, { mark: () => '', gap: 1, heading: true, truncate: false });
}
