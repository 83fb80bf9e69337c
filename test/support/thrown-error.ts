import { AtomicError } from '../../src/base/errors.ts';

interface ThrownError {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Runs `action` and returns code, message and hint of the `AtomicError` it throws. Anything else fails the test. */
export function catchError(action: () => unknown): ThrownError {
  const error = findError(action);
  if (error === undefined) throw new Error('expected an AtomicError, but nothing was thrown');
  return error;
}

/** As `catchError`, but `undefined` when nothing is thrown. */
export function findError(action: () => unknown): ThrownError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    return { code: error.code, message: error.message, hint: error.hint };
  }
}
