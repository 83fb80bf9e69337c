import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a folder, not an archive',
  ELOOP: 'too many symlinks',
};

/** Turns a failed system call on an image's file into an error for a person; anything else is returned unchanged. */
export function toReadError(error: unknown, path: string): unknown {
  if (error instanceof AtomicError || !(error instanceof Error) || !('code' in error)) return error;
  return sourceUnreadable(path, REASONS[String(error.code)] ?? error.message, error);
}

/** The error for a file that nobody can or should read. @param reason `permission denied` */
export function sourceUnreadable(path: string, reason: string, cause?: Error): AtomicError {
  return new AtomicError('SOURCE_UNREADABLE', `reading ${toPrintable(path)}: ${toPrintable(reason)}`, {
    hint: `Look at it: ls -ld ${toPrintable(path)}`,
    ...(cause === undefined ? {} : { cause }),
  });
}
