import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { isVariableName } from './template.ts';
import { forcedVariables } from './values.ts';

/**
 * Parses the `--set NAME=VALUE` options of a command line. The first `=` separates name and value. The value may be
 * empty and may have any characters, because it is inserted into the templates unchanged (compatibility N-07). Of equal
 * names, the last counts.
 *
 * @throws BAD_VALUE without `=`, for a name that no template can use, and for a name whose value atomic decides
 */
export function parseSetOptions(options: readonly string[]): Readonly<Record<string, string>> {
  // An assignment would set the prototype for the name `__proto__`.
  return Object.fromEntries(options.map(parseSetOption));
}

function parseSetOption(option: string): readonly [string, string] {
  const separator = option.indexOf('=');
  if (separator < 0) {
    throw new AtomicError(
      'BAD_VALUE',
      `Invalid value '${toPrintable(option, 80)}'.  Expected form NAME=VALUE`,
      { hint: `To set an empty value write --set ${toPrintable(option, 40)}= .` },
    );
  }
  const name = option.slice(0, separator);
  if (!isVariableName(name)) {
    throw new AtomicError(
      'BAD_VALUE',
      `Invalid name '${toPrintable(name, 80)}' in --set: no template can use it`,
      { hint: 'A name consists of letters, digits and _ and does not start with a digit.' },
    );
  }
  if (forcedVariables.has(name)) {
    throw new AtomicError('BAD_VALUE', `Cannot set ${name}: atomic decides its value`, {
      hint: forcedHints[name] ?? 'Leave it out, or use a name of your own in the template.',
    });
  }
  return [name, option.slice(separator + 1)];
}

const forcedHints: Readonly<Record<string, string>> = {
  NAME: 'Use --name NAME to choose the name of the container.',
};
