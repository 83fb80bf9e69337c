/** An answer of the image proxy: one JSON object, from a child process that repeats what registries send. */

import { AtomicError } from '../../base/errors.ts';
import { expectBoolean, expectString } from '../../base/json-shape.ts';
import { parseJsonObject } from '../../base/json-text.ts';
import { toPrintable } from '../../base/printable.ts';
import { type Digest, isDigest } from '../../image/digest.ts';

/** An answer is a line; data goes through pipes. */
export const MAX_ANSWER_BYTES = 32 * 1024;

type ProxyAnswer = DoneAnswer | { readonly kind: 'failed'; readonly error: string };

export interface DoneAnswer {
  readonly kind: 'done';
  /** What the method returns: a handle, a digest, or nothing. */
  readonly value: unknown;
  /** Names the pipe beside the answer for `FinishPipe`; 0 without one. */
  readonly pipe: number;
}

/** @throws AtomicError PROXY_FAILED when it is no answer */
export function parseProxyAnswer(text: string): ProxyAnswer {
  const answer = parseJsonObject(text, MAX_ANSWER_BYTES, rejectAnswer);
  if (!expectBoolean(answer.success, 'success', false, rejectAnswer)) {
    return { kind: 'failed', error: toPrintable(expectString(answer.error, 'error', rejectAnswer)) };
  }
  return { kind: 'done', value: answer.value, pipe: readCount(answer.pipeid ?? 0, 'pipeid') };
}

/** @throws AtomicError PROXY_FAILED when `value` is no handle of an image */
export function readHandle(value: unknown): number {
  return readCount(value, 'the handle');
}

/** @throws AtomicError PROXY_FAILED when `value` is no digest */
export function readDigest(value: unknown): Digest {
  if (!isDigest(value)) throw rejectAnswer('the digest is not one');
  return value;
}

function readCount(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw rejectAnswer(`${where} must be a whole number`);
}

export function rejectAnswer(problem: string): AtomicError {
  return new AtomicError('PROXY_FAILED', `reading the answer of the image proxy: ${problem}`, {
    hint: 'Try another version of skopeo; SKOPEO_PATH names the program.',
  });
}

/**
 * Describes why the proxy ended without an answer.
 *
 * @param stderr what it wrote to standard error
 * @param hasAnswered whether it had answered before. If not, another one would end in the same way.
 */
export function describeProxyEnd(stderr: string, hasAnswered: boolean): AtomicError {
  const words = toPrintable(stderr.trim());
  if (/unknown command|unknown flag/.test(words)) {
    return new AtomicError('TOOL_TOO_OLD', 'starting the image proxy: this skopeo has none', {
      hint: 'Install skopeo 1.5 or newer.',
    });
  }
  return new AtomicError(
    'PROXY_FAILED',
    `reading from the image proxy: skopeo ended${words === '' ? '' : `: ${words}`}`,
    { isTransient: hasAnswered },
  );
}
