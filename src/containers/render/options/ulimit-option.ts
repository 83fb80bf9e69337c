/** `--ulimit`: limits of each process (getrlimit(2)). */
import { findSuggestion } from '../../../base/suggest.ts';
import { rejectOption } from './service-options.ts';

export interface Ulimit {
  /** `nofile`. */
  readonly name: string;
  /** A number may have more than 53 bits. */
  readonly soft: bigint;
  readonly hard: bigint;
}

const names =
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  );

/** RLIM_INFINITY. */
const UNLIMITED = 2n ** 64n - 1n;

/** @throws BAD_VALUE */
export function parseUlimit(value: string): Ulimit {
  const reject = (reason: string, hint: string): Error => rejectOption('ulimit', value, reason, hint);
  const [, name, softText, hardText] = /^([^=]*)=([^:]*)(?::([^:]*))?$/s.exec(value) ?? [];
  const soft = parseLimit(softText);
  const hard = hardText === undefined ? soft : parseLimit(hardText);
  if (name === undefined || soft === undefined || hard === undefined) {
    throw reject(
      'it does not have the form NAME=SOFT[:HARD]',
      'Write --ulimit nofile=1024:65536; a limit is a number or unlimited.',
    );
  }
  if (!names.includes(name)) {
    const suggestion = findSuggestion(name, names);
    throw reject(
      `there is no limit '${name}'`,
      suggestion === undefined ? `The limits are ${names.join(', ')}.` : `Did you mean ${suggestion}?`,
    );
  }
  if (soft > hard) throw reject('the soft limit is above the hard limit', 'Exchange the two.');
  return { name, soft, hard };
}

/** docker writes -1 for "unlimited". */
function parseLimit(text: string | undefined): bigint | undefined {
  if (text === 'unlimited' || text === '-1') return UNLIMITED;
  if (text === undefined || !/^[0-9]{1,20}$/.test(text)) return undefined;
  const limit = BigInt(text);
  return limit <= UNLIMITED ? limit : undefined;
}
