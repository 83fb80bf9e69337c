import { AtomicError } from '../base/errors.ts';

/**
 * Builds the error of an operation that failed and could not be undone. Its journal stays, and the next command tries
 * again, unless all is undone but a start (`goBack`). The details are those of the failure, and of the undo.
 *
 * @param step "verbing object" of the operation
 */
export function buildRollbackFailed(step: string, failure: unknown, undoFailure: unknown): Error {
  if (!(failure instanceof AtomicError && undoFailure instanceof AtomicError)) {
    return new AggregateError([failure, undoFailure], `${step} and undoing it failed`);
  }
  return new AtomicError(
    'ROLLBACK_FAILED',
    `${step}: ${failure.message}; undoing that failed too: ${undoFailure.message}`,
    {
      cause: failure,
      hint:
        undoFailure.details?.isOver === true
          ? undoFailure.hint
          : 'Remove the cause and run `atomic recover`.',
      details: { ...failure.details, rollbackError: undoFailure.message, rollbackCode: undoFailure.code },
    },
  );
}
