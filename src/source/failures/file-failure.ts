/** Errors for the files and folders that hold images. */
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a folder, not an archive',
  ELOOP: 'too many symlinks',
};
const AGAIN = 'Make the archive again; nothing was stored.';

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

/** The error for a file or folder that is no image. @param problem `it is cut short` */
export function archiveInvalid(path: string, problem: string, hint = AGAIN): AtomicError {
  return new AtomicError('ARCHIVE_INVALID', `reading ${toPrintable(path)}: ${problem}`, { hint });
}

/** The hint for an image of another kind than its prefix says. @param kind with article: `an OCI archive` */
export function formatOtherPrefix(path: string, kind: string, prefix: string): string {
  return `It looks like ${kind}: write ${prefix}:${toPrintable(path)}`;
}

/** Turns what zlib says of a gzip file into the error for a person; anything else is returned unchanged. */
export function toInflateError(error: unknown, path: string): unknown {
  if (!(error instanceof Error && 'code' in error && /^Z_/.test(String(error.code)))) return error;
  // The magic at the start was looked at, so this is about what stands behind the compressed data.
  const isBehind = error.message === 'incorrect header check';
  return archiveInvalid(
    path,
    isBehind ? 'something else follows its compressed data' : 'its compressed data is damaged or cut short',
  );
}
