import { toPrintable } from '../base/printable.ts';
import type { Failure } from './failure.ts';
import { formatJsonLine } from './output/format-json.ts';

export interface FailureContext {
  /** The verb that failed: `images list`; empty before it is known. */
  readonly verb: string;
  /** Effective user id. */
  readonly uid: number;
  readonly debug: boolean;
}

/** Formats a failure for a person: the error, the hint, and the stack for a bug or with `--debug`. */
export function formatFailure(failure: Failure, context: FailureContext): string {
  const { message, hint, stack, isBug, isPermission } = failure;
  const lines = [`error: ${toPrintable(message)}`];
  if (hint !== undefined) lines.push(`hint: ${toPrintable(hint)}`);
  const topic = readTopic(failure);
  if (topic !== undefined) {
    lines.push(
      `Try '${['atomic', topic, '--help'].filter((word) => word !== '').join(' ')}' for more information.`,
    );
  }
  if (isPermission && context.uid !== 0) {
    lines.push(`Some operations for '${context.verb}' require root access.`);
  }
  if (isBug) lines.push('This is a bug in atomic. Please report it with the lines below.');
  if ((isBug || context.debug) && stack !== undefined) {
    lines.push(...stack.split('\n').map((line) => `  ${toPrintable(line).trim()}`));
  }
  return `${lines.join('\n')}\n`;
}

/** Formats a failure for `--json`: one document on one line, so that it is the last line of standard error. */
export function formatFailureJson(failure: Failure): string {
  return formatJsonLine({ schemaVersion: 1, error: buildErrorJson(failure) });
}

/** Builds the failure for programs: the member `error` of `--json` and of the progress stream. */
export function buildErrorJson({ code, message, hint, details }: Failure): Readonly<Record<string, unknown>> {
  return {
    code,
    message: toPrintable(message),
    hint: hint === undefined ? null : toPrintable(hint),
    details: details ?? {},
  };
}

/** Finds the verb whose help explains a usage error. */
function readTopic({ code, details }: Failure): string | undefined {
  const isUsage = code === 'UNKNOWN_COMMAND' || code === 'BAD_OPTION';
  return isUsage && typeof details?.topic === 'string' ? details.topic : undefined;
}
