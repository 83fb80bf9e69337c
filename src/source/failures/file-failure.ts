/** Errors for the files and folders that hold images. */
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a folder, not an archive',
  ELOOP: 'too many symlinks',
};
const AGAIN = 'Make the archive again; nothing was stored.';

/** Turns a failed system call on a file of an image into a typed error. Any other error is returned unchanged. */
export function toReadError(error: unknown, path: string): unknown {
  if (error instanceof AtomicError || !(error instanceof Error) || !('code' in error)) return error;
  return sourceUnreadable(path, REASONS[String(error.code)] ?? error.message, error);
}

/** Builds the error for a file that cannot be read, or must not be read. @param reason `permission denied` */
export function sourceUnreadable(path: string, reason: string, cause?: Error): AtomicError {
  return new AtomicError('SOURCE_UNREADABLE', `reading ${toPrintable(path)}: ${toPrintable(reason)}`, {
    hint: `Check the file: ls -ld ${toPrintable(path)}`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Builds the error for a file or folder that is not an image. @param problem `it is cut short` */
export function archiveInvalid(path: string, problem: string, hint = AGAIN): AtomicError {
  return new AtomicError('ARCHIVE_INVALID', `reading ${toPrintable(path)}: ${problem}`, { hint });
}

/** Formats the hint for an image whose kind does not match the prefix. @param kind kind with article: `an OCI archive` */
export function formatOtherPrefix(path: string, kind: string, prefix: string): string {
  return `It looks like ${kind}: write ${prefix}:${toPrintable(path)}`;
}

/** Turns an error of zlib into a typed error. Any other error is returned unchanged. */
export function toInflateError(error: unknown, path: string): unknown {
  if (!(error instanceof Error && 'code' in error && /^Z_/.test(String(error.code)))) return error;
  // The caller has checked the magic at the start, so this error is about data after the compressed data.
  const isTrailing = error.message === 'incorrect header check';
  return archiveInvalid(
    path,
    isTrailing ? 'other data follows its compressed data' : 'its compressed data is damaged or cut short',
  );
}
