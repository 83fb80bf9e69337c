/** What to do when skopeo cannot copy an image out: `proxy-failure.ts` knows the sentences, but its hints are for a pull. */
import { AtomicError, type ErrorCode } from '../../base/errors.ts';

interface Pattern {
  readonly words: RegExp;
  /** When it is another one than for a pull. */
  readonly code?: ErrorCode;
  readonly hint: string;
}

/** Older versions of skopeo say only the code of the registry's answer, such as `denied`. */
const patterns: readonly Pattern[] = [
  {
    words: /unauthorized|authentication required|invalid username\/password/i,
    code: 'REGISTRY_AUTH',
    hint: 'Give --creds USER:PASSWORD, or log in with `skopeo login REGISTRY`.',
  },
  {
    words: /\bdenied\b|forbidden/i,
    code: 'REGISTRY_AUTH',
    hint: 'The registry does not let this user write there: log in as one who may, or push to another name.',
  },
  {
    words: /: unsupported\b|method not allowed|the registry answers 405/i,
    code: 'TRANSFER_FAILED',
    hint: 'The registry takes no images: it is read-only, or a cache of another one. Push to another registry.',
  },
  {
    words: /name unknown|repository name not known|the registry answers 404/i,
    code: 'TRANSFER_FAILED',
    hint: 'The registry has no such repository, and makes none by itself: create it there, then push again.',
  },
  {
    words: /digest (?:invalid|did not match|mismatch)|does not match/i,
    code: 'DIGEST_MISMATCH',
    hint: 'The registry got other bytes than were sent: look at its log and disk, and at proxies before it, then push again.',
  },
  {
    words: /manifest (?:blob unknown|invalid|unverified)|blob unknown/i,
    code: 'TRANSFER_FAILED',
    hint: 'The registry does not accept the manifest: see its log for the reason.',
  },
  {
    words: /toomanyrequests|too many requests/i,
    code: 'TRANSFER_FAILED',
    hint: 'The registry limits how much may be asked of it: push again later.',
  },
];

/** These hints are right wherever an image goes. */
const KEPT: ReadonlySet<ErrorCode> = new Set(['NO_SPACE', 'TOOL_MISSING', 'INTERRUPTED']);

/** @param error what `buildSkopeoFailure` made of it, for a pull */
export function explainCopyOut(error: AtomicError, destination: string): AtomicError {
  const { code, message, isTransient } = error;
  if (KEPT.has(code)) return error;
  if (!destination.startsWith('docker:')) {
    return new AtomicError('TRANSFER_FAILED', message, {
      hint: 'Check the destination: its folder must be there and writable.',
    });
  }
  // What may be over in a moment is tried again, whatever words it has.
  const found = isTransient ? undefined : patterns.find(({ words }) => words.test(message));
  if (found !== undefined) return new AtomicError(found.code ?? code, message, { hint: found.hint });
  const isAboutAccess = code === 'REGISTRY_UNREACHABLE' && !/\bpull/.test(error.hint ?? '');
  if (isAboutAccess) return error;
  return new AtomicError(code, message, {
    hint: 'Check the registry and its log, then push again.',
    isTransient,
  });
}
