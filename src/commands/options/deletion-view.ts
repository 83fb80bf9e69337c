import { toPrintable } from '../../base/printable.ts';
import { formatTable } from '../../cli/output/format-table.ts';

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
