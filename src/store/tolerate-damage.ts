import { AtomicError } from '../core/errors.ts';
import { VariantMalformed } from '../core/gvariant.ts';
import { isErrno } from '../host/file-error.ts';

/** @returns undefined when what is read is damaged, missing or unreadable */
export function tolerateDamage<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const isDamaged =
      error instanceof VariantMalformed ||
      (error instanceof AtomicError &&
        ['STORE_CORRUPT', 'MANIFEST_INVALID', 'MANIFEST_UNSUPPORTED'].includes(error.code)) ||
      ['EIO', 'EISDIR', 'ELOOP'].some((errno) => isErrno(error, errno));
    if (isDamaged) return undefined;
    throw error;
  }
}
