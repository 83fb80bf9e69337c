import { toPrintable } from '../../base/printable.ts';

export interface Column<Row> {
  readonly title: string;
  readonly minWidth?: number;
  /** Longer values end in `...`. */
  readonly maxWidth?: number;
  /** Reads the value of a row. `formatTable` removes control characters, because the value may come from an image. */
  readonly read: (row: Row) => string;
}

interface TableOptions<Row> {
  /** A mark before the line of a row, at most two characters. */
  readonly mark: (row: Row) => string;
  /** Spaces between columns. */
  readonly gap: number;
  readonly heading: boolean;
  /** Cut values to `maxWidth`. */
  readonly truncate: boolean;
}

/**
 * Builds a table whose columns have the width of their longest value. Lines do not end in blanks.
 *
 * @returns empty for no rows
 */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: TableOptions<Row>,
): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) =>
    columns.map(({ read, maxWidth }) => toPrintable(read(row), options.truncate ? maxWidth : MAX_CELL)),
  );
  const titles = columns.map(({ title }) => title);
  const widths = columns.map(({ minWidth = 0 }, index) =>
    Math.max(minWidth, ...[titles, ...cells].map((line) => line[index]?.length ?? 0)),
  );
  const lines = rows.map((row, index) =>
    formatLine(options.mark(row), cells[index] ?? [], widths, options.gap),
  );
  const heading = options.heading ? formatLine('', titles, widths, options.gap) : '';
  return heading + lines.join('');
}

/** The longest value without truncation: a value of an image must not fill the terminal. */
const MAX_CELL = 10_000;

const MARK_WIDTH = 2;

function formatLine(mark: string, line: readonly string[], widths: readonly number[], gap: number): string {
  const padded = line.map((cell, index) => cell.padEnd(widths[index] ?? 0));
  return `${`${mark.padEnd(MARK_WIDTH)} ${padded.join(' '.repeat(gap))}`.trimEnd()}\n`;
}
