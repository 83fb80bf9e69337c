import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';

/** The names of `--filter NAME=VALUE`, with the texts of a row that each one compares; one of them must match. */
export type FilterFields<Row> = Readonly<Record<string, (row: Row) => readonly string[]>>;

/**
 * Builds the test for all `--filter` options of a list. A row must pass all of them: one of the texts must contain the
 * value, in any case (compatibility L-04, M-06).
 *
 * @throws BAD_VALUE without `=`, and for an unknown name
 */
export function buildFilter<Row>(
  options: readonly string[],
  fields: FilterFields<Row>,
): (row: Row) => boolean {
  const tests = options.map((option) => buildTest(option, fields));
  return (row) => tests.every((test) => test(row));
}

/** Lists the beginnings of `--filter`, for completion: `image=`. */
export function listFilters<Row>(fields: FilterFields<Row>): readonly string[] {
  return Object.keys(fields).map((name) => `${name}=`);
}

function buildTest<Row>(option: string, fields: FilterFields<Row>): (row: Row) => boolean {
  const separator = option.indexOf('=');
  if (separator < 0) {
    throw new AtomicError(
      'BAD_VALUE',
      `The filter ${toPrintable(option, 80)} is not formatted correctly.  It should be VAR=VALUE`,
    );
  }
  const name = option.slice(0, separator);
  const read = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (read === undefined) {
    throw new AtomicError(
      'BAD_VALUE',
      `The filter ${toPrintable(name, 80)} is not valid.  Please choose from [${Object.keys(fields).join(', ')}]`,
    );
  }
  const wanted = option.slice(separator + 1).toLowerCase();
  return (row) => read(row).some((text) => text.toLowerCase().includes(wanted));
}
