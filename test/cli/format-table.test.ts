import { expect, test } from 'bun:test';
import { type Column, formatTable } from '../../src/cli/output/format-table.ts';

interface Row {
  readonly name: string;
  readonly text: string;
}
const columns: readonly Column<Row>[] = [
  { title: 'NAME', minWidth: 6, read: ({ name }) => name },
  { title: 'TEXT', maxWidth: 8, read: ({ text }) => text },
  { title: 'END', read: () => '' },
];
const rows: readonly Row[] = [
  { name: 'a', text: 'short' },
  { name: 'long-name', text: 'much too long' },
];
const options = { mark: (row: Row) => (row.name === 'a' ? '>' : ''), gap: 2, heading: true, truncate: true };

test('columns are as wide as their longest value, lines end without blanks', () => {
  expect(formatTable(rows, columns, options)).toBe(
    ['   NAME       TEXT      END', '>  a          short', '   long-name  much ...', ''].join('\n'),
  );
});

test('without truncation and heading', () => {
  expect(formatTable(rows, columns, { ...options, heading: false, truncate: false })).toBe(
    ['>  a          short', '   long-name  much too long', ''].join('\n'),
  );
});

test('the least width', () => {
  expect(formatTable([{ name: 'a', text: 'b' }], columns, options)).toBe(
    '   NAME    TEXT  END\n>  a       b\n',
  );
});

test('a value cannot leave its line', () => {
  expect(formatTable([{ name: 'x\n\u001b[2Jy', text: '\u202e' }], columns, options)).toBe(
    '   NAME    TEXT  END\n   x y\n',
  );
});

test('no rows, no heading', () => {
  expect(formatTable([], columns, options)).toBe('');
});
