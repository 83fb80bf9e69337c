import { AtomicError } from '../../base/errors.ts';

/**
 * Builds the error of an invalid command line; its exit status is 2.
 *
 * @param topic the verb whose help explains it, such as `images list`; empty for the program itself
 */
export function buildUsageError(
  code: 'UNKNOWN_COMMAND' | 'BAD_OPTION',
  message: string,
  topic: string,
  hint?: string,
): AtomicError {
  return new AtomicError(code, message, { hint, details: { topic } });
}
