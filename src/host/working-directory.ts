/**
 * The working directory of this process, where relative paths begin. Another process may have deleted it. Then the
 * process works from `/`, and relative paths are refused.
 */
import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';

let isDeleted = false;

/** Called after the process has left a deleted working directory. */
export function forbidRelativePaths(): void {
  isDeleted = true;
}

/** Whether a path can be resolved. @param path as written on the command line */
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
