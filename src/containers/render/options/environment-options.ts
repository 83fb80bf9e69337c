/** `--env` and `--env-file`: variables of the service. */
import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { rejectOption } from './service-options.ts';

export interface Variable {
  readonly name: string;
  readonly value: string;
}

/** @throws BAD_VALUE */
export function parseVariable(text: string): Variable {
  const fault = findFault(text);
  if (fault === undefined) {
    const separator = text.indexOf('=');
    return { name: text.slice(0, separator), value: text.slice(separator + 1) };
  }
  throw rejectOption(
    'env',
    text,
    fault,
    'Write --env NAME=VALUE. The variables of this shell are not passed on.',
  );
}

/**
 * Reads the lines `NAME=VALUE` of a file. Empty lines and lines that begin with `#` are left out. The values are used as
 * they are: shells, systemd and docker read quotes in three ways, so that a value in quotes is refused.
 *
 * @param path how errors call the file
 * @returns the variables as values of `--env`
 * @throws BAD_VALUE
 */
export function parseEnvironmentFile(text: string, path: string): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    if (line === '' || line.startsWith('#')) return [];
    const reject = (reason: string, hint: string): Error =>
      new AtomicError(
        'BAD_VALUE',
        `--env-file ${toPrintable(path)}: line ${index + 1} ${toPrintable(reason, 200)}`,
        { hint },
      );
    if (line.endsWith('\r')) {
      throw reject('ends with a carriage return', `Convert the file: sed -i 's/\\r$//' ${path}`);
    }
    const fault = findFault(line);
    if (fault !== undefined) throw reject(`is no variable: ${fault}`, 'Each line has the form NAME=VALUE.');
    const value = line.slice(line.indexOf('=') + 1);
    if (/^(["']).*\1$/.test(value)) {
      throw reject(
        `has a value in quotes: ${line}`,
        'Remove the quotes: the value is the rest of the line, with its blanks.',
      );
    }
    return [line];
  });
}

function findFault(text: string): string | undefined {
  const separator = text.indexOf('=');
  if (separator < 0) return `'${text.slice(0, 80)}' has no =`;
  const name = text.slice(0, separator);
  if (name === '') return 'it has no name';
  if (/[\s\p{Cc}]/u.test(name))
    return `its name '${name.slice(0, 80)}' contains a blank or a control character`;
  if (text.includes('\0')) return 'it contains a NUL character';
  return text.isWellFormed() ? undefined : 'it is not UTF-8 text';
}
