import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { isVariableName } from './template.ts';
import { forcedVariables } from './values.ts';

/** One option of the form `NAME=TEXT`, split. */
export interface Assignment {
  readonly name: string;
  readonly text: string;
}

/**
 * Splits `--set NAME=VALUE` and options like it. The first `=` separates the two. A value may be empty and may have any
 * characters, because it is inserted into the templates unchanged (compatibility N-07).
 *
 * @param option the name of the option, such as `--set`
 * @param form of the text after it, for messages
 * @throws BAD_VALUE without `=`, for a name that no template can use, and for a name whose value atomic decides
 */
export function parseAssignment(word: string, option: string, form = 'NAME=VALUE'): Assignment {
  const separator = word.indexOf('=');
  if (separator < 0) {
    throw new AtomicError(
      'BAD_VALUE',
      `Invalid value '${toPrintable(word, 80)}'.  Expected form ${form}`,
      form === 'NAME=VALUE'
        ? { hint: `To set an empty value write ${option} ${toPrintable(word, 40)}= .` }
        : { hint: `Write ${option} ${form}.` },
    );
  }
  const name = word.slice(0, separator);
  if (!isVariableName(name)) {
    throw new AtomicError(
      'BAD_VALUE',
      `Invalid name '${toPrintable(name, 80)}' in ${option}: no template can use it`,
      { hint: 'A name consists of letters, digits and _ and does not start with a digit.' },
    );
  }
  if (forcedVariables.has(name)) {
    throw new AtomicError('BAD_VALUE', `Cannot set ${name}: atomic decides its value`, {
      hint: forcedHints[name] ?? 'Leave it out, or use a name of your own in the template.',
    });
  }
  return { name, text: word.slice(separator + 1) };
}

/** The values of a command line. */
export interface GivenValues {
  readonly values: Readonly<Record<string, string>>;
  /** The names that the image must use: those of `--set-any` are not among them. */
  readonly checkedNames: readonly string[];
}

/**
 * Joins the values of `--set`, `--set-file` and `--set-any`. Within one option the last of equal names counts.
 *
 * @throws BAD_VALUE when two of the options name the same variable
 */
export function joinValues(given: {
  readonly set: readonly Assignment[];
  readonly setFile: readonly Assignment[];
  readonly setAny: readonly Assignment[];
}): GivenValues {
  const parts = [
    ['--set', given.set],
    ['--set-file', given.setFile],
    ['--set-any', given.setAny],
  ] as const;
  const optionOf = new Map<string, string>();
  for (const [option, assignments] of parts) {
    for (const { name } of assignments) {
      const other = optionOf.get(name) ?? option;
      if (other !== option) {
        throw new AtomicError('BAD_VALUE', `${other} and ${option} both name ${name}`, {
          hint: 'Use one of them.',
        });
      }
      optionOf.set(name, option);
    }
  }
  const all = parts.flatMap(([, assignments]) => assignments);
  return {
    // An assignment would set the prototype for the name `__proto__`.
    values: Object.fromEntries(all.map(({ name, text }) => [name, text])),
    checkedNames: [...optionOf].filter(([, option]) => option !== '--set-any').map(([name]) => name),
  };
}

const forcedHints: Readonly<Record<string, string>> = {
  NAME: 'Use --name NAME to choose the name of the container.',
};
