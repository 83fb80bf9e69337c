import { AtomicError } from '../base/errors.ts';
import { isErrno } from '../base/file-error.ts';
import { VariantMalformed } from './gvariant.ts';

/** @returns the value that `read` returns; `undefined` when the object is damaged, missing or unreadable */
export function tolerateDamage<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** Whether an error means that an object is damaged, missing or unreadable. */
export function isDamage(error: unknown): error is Error {
  return (
    error instanceof VariantMalformed ||
    (error instanceof AtomicError && DAMAGE_CODES.has(error.code)) ||
    isErrno(error, ...DAMAGE_ERRNOS)
  );
}

const DAMAGE_CODES: ReadonlySet<string> = new Set([
  'STORE_CORRUPT',
  'MANIFEST_INVALID',
  'MANIFEST_UNSUPPORTED',
]);
const DAMAGE_ERRNOS = ['EIO', 'EISDIR', 'ELOOP'] as const;
