import { AtomicError } from '../core/errors.ts';
import { toPrintable } from '../core/printable.ts';

/** The error for a file or folder that is no image. @param problem `it is cut short` */
export function archiveInvalid(path: string, problem: string): AtomicError {
  return new AtomicError('ARCHIVE_INVALID', `reading ${toPrintable(path)}: ${problem}`, {
    hint: 'Make the archive again; nothing was stored.',
  });
}
