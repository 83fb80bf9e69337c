/**
 * The working directory of this process, where relative paths begin. It may have been deleted by somebody else; the
 * process then works from `/`, and no path begins there that a person has written.
 */
import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';

let isDeleted = false;

/** After the process has left a working directory that was deleted. */
export function forbidRelativePaths(): void {
  isDeleted = true;
}

/** @param path as a person has written it */
export function canBeFound(path: string): boolean {
  return !isDeleted || path.startsWith('/');
}

/** @throws AtomicError BAD_VALUE for a relative path when the working directory was deleted */
export function requireFindable(path: string): void {
  if (canBeFound(path)) return;
  throw new AtomicError(
    'BAD_VALUE',
    `finding ${toPrintable(path)}: a relative path begins at the working directory, which was deleted`,
    { hint: 'Write an absolute path, or change to another directory first: cd /' },
  );
}
