import { AtomicError } from '../../src/core/errors.ts';

/** Runs `action` and returns code, message and hint of the `AtomicError` it throws. Anything else fails the test. */
export function catchError(action: () => unknown): {
  code: string;
  message: string;
  hint: string | undefined;
} {
  try {
    action();
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    return { code: error.code, message: error.message, hint: error.hint };
  }
  throw new Error('expected an AtomicError, but nothing was thrown');
}
