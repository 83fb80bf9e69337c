import type { Candidate } from './complete-words.ts';

/** Asks the shell to complete the name of a file or a folder. */
export interface CompletedPath {
  readonly kind: 'files' | 'folders';
  /** The beginning of the word that is not part of the path. */
  readonly after: string;
}

/**
 * Formats a line for each candidate, `TEXT<TAB>DESCRIPTION`, and a line `:files PREFIX` or `:folders PREFIX` when the shell
 * completes the path after PREFIX. A text that a line cannot hold is left out; it may come from an image.
 */
export function formatCandidates(candidates: readonly Candidate[], path?: CompletedPath): string {
  const lines = candidates
    .filter(({ text }) => !unprintable.test(text))
    .map(({ text, description }) => (description === '' ? text : `${text}\t${description}`));
  return [...lines, ...(path === undefined ? [] : [`:${path.kind} ${path.after}`])]
    .map((line) => `${line}\n`)
    .join('');
}

const unprintable = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
