import { AtomicError } from '../base/errors.ts';
import { describeSystemError, explainSystemError, findErrno } from '../base/file-error.ts';

/** What went wrong, as far as it can be told to a person or a script. */
export interface Failure {
  /** A code of `base/errors.ts`, the name of an errno, or `BUG`. */
  readonly code: string;
  /** `this: cause: cause of cause`; not yet cleaned for printing. */
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;
  readonly exitStatus: number;
  /** Only root may do this. */
  readonly isPermission: boolean;
  /** A mistake of this program. */
  readonly isBug: boolean;
  /** Of the error and of its causes. */
  readonly stack: string | undefined;
}

/** How deep a chain of causes is followed; a longer one is a loop or tells nothing new. */
const MAX_DEPTH = 8;

/**
 * Classifies anything that was thrown. An `AtomicError` says itself what it is; an error of the operating system that
 * nobody expected is a failure with the errno as its code; everything else is a bug.
 */
export function describeFailure(error: unknown): Failure {
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
    // Node wraps the reason of the signal, which has the exit status.
    if (error.cause instanceof AtomicError) return describeFailure(error.cause);
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

/** The stack of each error of a chain, outermost first; undefined when none has one. */
function formatStacks(chain: readonly unknown[]): string | undefined {
  const stacks = chain.flatMap((error) => (error instanceof Error && error.stack ? [error.stack] : []));
  return stacks.length === 0 ? undefined : stacks.join('\nCaused by ');
}

/** Joins the messages; a cause that is in what stands above it already is left out. */
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

/** `ENOSPC: no space left on device, write` of Node, which the error above it has said in better words. */
function isSystemCallError(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith(`${findErrno(error)}: `);
}

function isAbort(error: unknown): error is Error {
  return error instanceof Error && error.name === 'AbortError';
}
