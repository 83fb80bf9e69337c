/** Turns failures of libostree, and failures to load it, into typed errors. */
import { AtomicError } from '../base/errors.ts';
import { DISK_HINT, toFileError } from '../base/file-error.ts';
import { toPrintable } from '../base/printable.ts';
import { PROC_HINT } from '../host/machine-proc.ts';
import { GErrorThrown, IoErrorCode } from '../native/glib.ts';
import { LibraryMissing } from '../native/koffi.ts';
import { REPAIR_HINT } from './object-files.ts';

const NO_SPACE_WORDS = /min-free-space|No space left on device|Disk quota exceeded/;
const HIDDEN_WORDS = /“\/proc\/[^”]+”: No such file or directory/;
/** libostree's words for an object that another object names and that is missing. */
const MISSING_WORDS = /Couldn't find file object|No such metadata object/;

/**
 * @param step the failed step: "verbing object", such as `storing layer sha256:...`
 * @returns the typed error; any other error unchanged, because it is a bug or is typed already
 */
export function toStoreError(error: unknown, step: string): unknown {
  if (error instanceof LibraryMissing) {
    return new AtomicError('TOOL_MISSING', `${step}: ${error.message}`, {
      hint: 'Install it: apt install libostree-1-1 (Debian), dnf install ostree-libs (Fedora).',
      cause: error,
    });
  }
  if (!(error instanceof GErrorThrown)) return toStoreFileError(error, step);
  // libostree does not know the path of a repository that was opened by a descriptor.
  const reason = toPrintable(error.message).replace('(null)/', 'the repository/');
  const isIoError = error.domain === 'g-io-error-quark';
  if ((isIoError && error.code === IoErrorCode.noSpace) || NO_SPACE_WORDS.test(reason)) {
    return noSpace(`${step}: ${reason}`, error);
  }
  if (isIoError && error.code === IoErrorCode.readOnly) {
    return new AtomicError('READ_ONLY', `${step}: ${reason}`, {
      hint: 'Make the filesystem of the image store writable and try again.',
      cause: error,
    });
  }
  if (isIoError && error.code === IoErrorCode.notFound && MISSING_WORDS.test(reason)) {
    return new AtomicError('STORE_CORRUPT', `${step}: ${reason}`, { hint: REPAIR_HINT, cause: error });
  }
  return new AtomicError('STORE_FAILED', `${step}: ${reason}`, { hint: findHint(reason), cause: error });
}

function findHint(reason: string): string {
  if (HIDDEN_WORDS.test(reason)) return PROC_HINT;
  if (reason.includes('Input/output error')) return DISK_HINT;
  if (reason.includes('Permission denied') || reason.includes('Operation not permitted')) {
    return 'Check the permissions of the image store: `ls -ld`, `lsattr -d`, the audit log.';
  }
  return 'See whether the image store is damaged: atomic images verify';
}

function toStoreFileError(error: unknown, step: string): unknown {
  const found = toFileError(error, step);
  const isFullDisk = found !== error && found instanceof AtomicError && found.code === 'NO_SPACE';
  return isFullDisk ? noSpace(found.message, error) : found;
}

function noSpace(message: string, cause: unknown): AtomicError {
  return new AtomicError('NO_SPACE', message, {
    hint: 'Free some space on the filesystem of the image store and try again.',
    cause,
  });
}

/** Runs one action on the store and turns its failure into a typed error. @param step as for `toStoreError` */
export async function withStoreErrors<T>(step: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw toStoreError(error, step);
  }
}
