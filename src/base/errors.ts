/** Failures that a person can meet. A programmer's mistake stays a plain `Error` and is printed with its stack. */

/** Groups of codes. The category decides the exit status, unless `AtomicErrorOptions.exitStatus` is set. */
type ErrorCategory =
  | 'usage'
  | 'precondition'
  | 'not-found'
  | 'conflict'
  | 'image'
  | 'external'
  | 'store'
  | 'activation'
  | 'interrupted';

const categories = {
  BAD_REFERENCE: 'usage',
  BAD_VALUE: 'usage',
  BAD_OPTION: 'usage',
  UNKNOWN_COMMAND: 'usage',
  REFUSED: 'usage',
  NOT_ROOT: 'precondition',
  TOOL_MISSING: 'precondition',
  TOOL_TOO_OLD: 'precondition',
  NO_SYSTEMD: 'precondition',
  NO_SPACE: 'precondition',
  LOCK_BUSY: 'precondition',
  SETTINGS_INVALID: 'precondition',
  CROSS_DEVICE: 'precondition',
  READ_ONLY: 'precondition',
  CONTAINER_NOT_FOUND: 'not-found',
  NO_PREVIOUS_DEPLOYMENT: 'not-found',
  IMAGE_NOT_FOUND: 'not-found',
  LAYER_NOT_FOUND: 'not-found',
  NOT_MOUNTED: 'not-found',
  FILE_CONFLICT: 'conflict',
  IMAGE_IN_USE: 'conflict',
  DEPLOYMENT_IN_USE: 'conflict',
  MOUNT_IN_USE: 'conflict',
  MANIFEST_UNSUPPORTED: 'image',
  MANIFEST_INVALID: 'image',
  DIGEST_MISMATCH: 'image',
  LAYER_REJECTED: 'image',
  LAYER_NOT_REBUILDABLE: 'image',
  TEMPLATE_INVALID: 'image',
  TEMPLATE_UNSET_VARIABLE: 'image',
  CONFIG_INVALID: 'image',
  EXPORTS_INVALID: 'image',
  POLICY_REJECTED: 'image',
  ARCHIVE_INVALID: 'image',
  COMMAND_FAILED: 'external',
  MOUNT_FAILED: 'external',
  PROXY_FAILED: 'external',
  REGISTRY_AUTH: 'external',
  REGISTRY_UNREACHABLE: 'external',
  TRANSFER_FAILED: 'external',
  SOURCE_UNREADABLE: 'external',
  ENGINE_UNREACHABLE: 'external',
  STORE_CORRUPT: 'store',
  STORE_FAILED: 'store',
  JOURNAL_UNREADABLE: 'store',
  CONTAINER_DAMAGED: 'store',
  UNIT_FAILED: 'activation',
  CONSENT_NEEDED: 'precondition',
  HELD: 'precondition',
  ROLLED_BACK: 'activation',
  ROLLBACK_FAILED: 'activation',
  INTERRUPTED: 'interrupted',
} as const satisfies Record<string, ErrorCategory>;

export type ErrorCode = keyof typeof categories;

export interface AtomicErrorOptions {
  /** The hint for the person: the next command to type, or the file to read. No final newline. */
  hint?: string;
  /** Facts for `--json`: paths, digests, argv. Never credentials. */
  details?: Record<string, unknown>;
  /** The failure that caused this one; the printed message is the chain `this: cause: cause of cause`. */
  cause?: unknown;
  /** Overrides the exit status of the category, for example a child's own status (compatibility G-10). */
  exitStatus?: number;
  /** Whether the same call may succeed in a moment: a lost connection, a registry that restarts. */
  isTransient?: boolean;
  /** How many tries have failed in this way. More than one when the failed program retries by itself. */
  tries?: number;
}

/** A failure with a stable code. The message is written at the throw site as "verb object: reason". */
export class AtomicError extends Error {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;
  readonly exitStatus: number;
  readonly isTransient: boolean;
  readonly tries: number;

  constructor(code: ErrorCode, message: string, options: AtomicErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AtomicError';
    this.code = code;
    this.category = categories[code];
    this.hint = options.hint;
    this.details = options.details;
    this.exitStatus = options.exitStatus ?? (this.category === 'usage' ? 2 : 1);
    this.isTransient = options.isTransient ?? false;
    this.tries = options.tries ?? 1;
  }
}

/**
 * Puts the outer step before the message of an error: `installing etcd: checking out 1c2d...: no space left on /var`.
 *
 * @param error the caught value; anything but an `AtomicError` is returned unchanged, because it is a bug
 * @param step "verbing object" of the outer step
 */
export function wrapError(error: unknown, step: string): unknown {
  if (!(error instanceof AtomicError)) return error;
  return rewordError(error, `${step}: ${error.message}`, error.hint);
}

/** Makes the same error with another message and hint. */
export function rewordError(error: AtomicError, message: string, hint: string | undefined): AtomicError {
  const { code, details, exitStatus, isTransient, tries } = error;
  const reworded = new AtomicError(code, message, {
    exitStatus,
    isTransient,
    tries,
    cause: error.cause,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
  // `--debug` shows where the failure began, not where its message was completed.
  if (error.stack !== undefined) reworded.stack = error.stack;
  return reworded;
}

/** Makes the same error with more details. @param error what was caught; anything but an `AtomicError` is returned unchanged */
export function addDetails(error: unknown, details: Record<string, unknown>): unknown {
  if (!(error instanceof AtomicError)) return error;
  const { code, message, hint, exitStatus, isTransient, tries } = error;
  const detailed = new AtomicError(code, message, {
    ...{ exitStatus, isTransient, tries, cause: error.cause },
    ...(hint === undefined ? {} : { hint }),
    details: { ...error.details, ...details },
  });
  if (error.stack !== undefined) detailed.stack = error.stack;
  return detailed;
}

/**
 * Puts a hint before that of an error.
 *
 * @param error the caught value; an interruption, and anything but an `AtomicError`, is returned unchanged
 */
export function addHint(error: unknown, hint: string): unknown {
  if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') return error;
  return rewordError(error, error.message, error.hint === undefined ? hint : `${hint} ${error.hint}`);
}
