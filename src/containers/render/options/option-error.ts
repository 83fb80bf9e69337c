import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import type { OptionName } from './service-options.ts';

/** Builds the error for a value that an option cannot have: `--memory '1k': it is less than 6 MiB`. */
export function rejectOption(option: OptionName, value: string, reason: string, hint: string): AtomicError {
  return new AtomicError('BAD_VALUE', `${formatOption(option, toPrintable(value, 120))}: ${reason}`, {
    hint,
  });
}

/** How messages name an option with its value; the arguments of the command have no option. */
export function formatOption(option: OptionName, value: string): string {
  return option === 'args' ? `argument '${value}'` : `--${option} '${value}'`;
}
