/** Asks the person whether an update may get further privileges on the host. */

import { AtomicError } from '../../base/errors.ts';
import { formatPrivileges } from '../../containers/consent/format-privileges.ts';
import type { Privilege } from '../../containers/consent/privilege.ts';
import type { Host } from '../../host/host.ts';
import type { Person } from './command.ts';
import { isYes } from './confirm-deletion.ts';

interface ConsentOptions {
  /** `--accept-widening`, or `consent = any` of the settings. */
  readonly isGiven: boolean;
  /** Whether no person can answer: with `--all`, in a timer. */
  readonly isUnattended: boolean;
}

/**
 * Builds the function that an update calls before its first change. The function returns when the update needs no further
 * privileges, or when a person accepts them.
 */
export function createConsent(
  host: Host,
  person: Person,
  { isGiven, isUnattended }: ConsentOptions,
): (name: string, widening: readonly Privilege[]) => Promise<void> {
  return async (name, widening) => {
    if (widening.length === 0) return;
    const lines = formatPrivileges(widening);
    if (isGiven) {
      for (const line of lines) host.report({ kind: 'warning', text: `${name} now asks: ${line}` });
      return;
    }
    if (isUnattended || !(await person.isPresent())) throw buildNeeded(name, widening, lines);
    const question = [
      '',
      `${name} asks for more of the host than before:`,
      ...lines.map((line) => `  ${line}`),
    ];
    if (person.assumeYes || isYes(await person.ask(`${question.join('\n')}\nAccept (y/N) `))) return;
    throw new AtomicError('REFUSED', `updating ${name}: not accepted, nothing was changed`);
  };
}

function buildNeeded(name: string, widening: readonly Privilege[], lines: readonly string[]): AtomicError {
  return new AtomicError(
    'CONSENT_NEEDED',
    `updating ${name}: the new deployment asks for more of the host: ${lines.join('; ')}`,
    {
      hint: `If you accept that: atomic containers update --accept-widening ${name}`,
      details: { name, widening },
    },
  );
}
