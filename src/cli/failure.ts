import { AtomicError } from '../base/errors.ts';
import { describeSystemError, explainSystemError, findErrno } from '../base/file-error.ts';

/** A failure, in the form that messages for people and for programs are made from. */
export interface Failure {
  /** A code of `base/errors.ts`, the name of an errno, or `BUG`. */
  readonly code: string;
  /** `this: cause: cause of cause`; not yet made printable. */
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;
  readonly exitStatus: number;
  /** Whether root would have the permission. */
  readonly isPermission: boolean;
  /** Whether the failure is a mistake in this program. */
  readonly isBug: boolean;
  /** The stacks of the error and of its causes. */
  readonly stack: string | undefined;
}

/** The largest number of causes that are followed; a longer chain is a loop, or adds no information. */
const MAX_DEPTH = 8;

/**
 * Classifies anything that was thrown. An `AtomicError` has its own code. The code of any other failed system call is its
 * errno. Everything else is a bug.
 */
export function explainFailure(error: unknown): Failure {
  const chain = listChain(error);
  const errno = chain.map(findErrno).find((code) => code !== undefined);
  const isPermission = errno === 'EACCES' || errno === 'EPERM';
  const common = {
    message: formatChain(chain),
    stack: formatStacks(chain),
    hint: undefined,
    details: undefined,
  };
  if (error instanceof AtomicError) {
    return {
      ...common,
      code: error.code,
      hint: error.hint,
      details: error.details,
      exitStatus: error.exitStatus,
      isPermission: isPermission || error.code === 'NOT_ROOT',
      isBug: false,
    };
  }
  if (isAbort(error)) {
    // Node wraps the reason of the abort, which has the exit status.
    if (error.cause instanceof AtomicError) return explainFailure(error.cause);
    return {
      ...common,
      code: 'INTERRUPTED',
      message: 'interrupted',
      exitStatus: 1,
      isPermission: false,
      isBug: false,
    };
  }
  const own = findErrno(error);
  if (own === undefined || !(error instanceof Error)) {
    return { ...common, code: 'BUG', exitStatus: 1, isPermission, isBug: true };
  }
  const { hint } = explainSystemError(error);
  const message = describeSystemError(error);
  return { ...common, message, hint, code: own, exitStatus: 1, isPermission, isBug: false };
}

function listChain(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  let current = error;
  while (current !== undefined && current !== null && chain.length < MAX_DEPTH) {
    chain.push(current);
    current = current instanceof Error ? current.cause : undefined;
  }
  return chain;
}

/** Joins the stacks of a chain, outermost first; `undefined` without any. */
function formatStacks(chain: readonly unknown[]): string | undefined {
  const stacks = chain.flatMap((error) => (error instanceof Error && error.stack ? [error.stack] : []));
  return stacks.length === 0 ? undefined : stacks.join('\nCaused by ');
}

/** Joins the messages. A cause whose text is part of the message above it is left out. */
function formatChain(chain: readonly unknown[]): string {
  return chain
    .filter((error, index) => index === 0 || !isSystemCallError(error))
    .map((error) => (error instanceof Error ? error.message : String(error)).trim())
    .filter((message) => message !== '')
    .reduce(
      (joined, message) =>
        joined === '' || joined.includes(message) ? joined || message : `${joined}: ${message}`,
      '',
    );
}

/** Matches `ENOSPC: no space left on device, write` of Node; the error above it has the same reason in better words. */
function isSystemCallError(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith(`${findErrno(error)}: `);
}

function isAbort(error: unknown): error is Error {
  return error instanceof Error && error.name === 'AbortError';
}
