import { toPrintable } from '../../base/printable.ts';
import { type Display, paint, plainDisplay, type Tone } from './display.ts';
import { type Fit, fitColumns, type Leaving } from './fit-columns.ts';
import { cutText, foldText, measureWidth } from './text-width.ts';

export interface Column<Row> {
  readonly title: string;
  readonly minWidth?: number;
  /** Longer values end in `...`. */
  readonly maxWidth?: number;
  /** Reads the value of a row. `formatTable` removes control characters, because the value may come from an image. */
  readonly read: (row: Row) => string;
  /** The meaning of a state, for its colour. */
  readonly tone?: (row: Row) => Tone | undefined;
  /** How the column becomes narrower on a terminal that is narrower than the table. */
  readonly fit?: Fit;
  /** Whether the column may be left out there. */
  readonly leaves?: Leaving;
}

interface TableOptions<Row> {
  /** A mark before the line of a row, at most two characters. */
  readonly mark: (row: Row) => string;
  /** Spaces between columns. */
  readonly gap: number;
  readonly heading: boolean;
  /** Cut values to `maxWidth`, and the table to the width of the display. */
  readonly truncate: boolean;
  /** Where the table is printed; by default a file. */
  readonly display?: Display | undefined;
}

/**
 * Builds a table whose columns have the width of their longest value, where a terminal has room for them. Lines do not end
 * in blanks.
 *
 * @returns empty for no rows
 */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: TableOptions<Row>,
): string {
  if (rows.length === 0) return '';
  const { mark, gap, heading, truncate, display = plainDisplay } = options;
  const cells = rows.map((row) => readCells(row, columns, truncate));
  // Lists have thousands of rows: one look at a row takes less time than one at each of its cells.
  const measure = cells.every((line) => isPlain(line.join(' '))) ? readLength : measureWidth;
  const described = columns.map(({ title, minWidth = 0, fit, leaves }, index) => ({
    content: cells.reduce((widest, line) => Math.max(widest, measure(line[index] ?? '')), title.length),
    wanted: minWidth,
    title: title.length,
    fit,
    leaves,
  }));
  const room = truncate && display.width !== undefined ? display.width - MARK_WIDTH - 1 : undefined;
  const layout = fitColumns(described, gap, room);
  const shown = columns.flatMap(({ fit, tone }, index) => {
    const width = layout.widths[index];
    const isNarrow = width !== undefined && width < (described[index]?.content ?? 0);
    return width === undefined ? [] : [{ index, width, tone, fit: isNarrow ? fit : undefined }];
  });
  const between = ' '.repeat(layout.gap);
  const formatLine = (before: string, texts: readonly string[], row?: Row): string => {
    const padded = shown.map(({ width, tone }, place) => {
      const text = texts[place] ?? '';
      const painted = row === undefined ? text : paint(text, tone?.(row), display);
      return painted + ' '.repeat(Math.max(0, width - measure(text)));
    });
    return `${`${before.padEnd(MARK_WIDTH)} ${padded.join(between)}`.trimEnd()}\n`;
  };
  const isNarrow = shown.some(({ fit }) => fit !== undefined);
  const formatRow = (before: string, line: readonly string[], row?: Row): string => {
    const texts = shown.map(({ index }) => line[index] ?? '');
    if (!isNarrow) return formatLine(before, texts, row);
    const folded = shown.map(({ width, fit }, place) => fitCell(texts[place] ?? '', width, fit));
    const height = Math.max(...folded.map(({ length }) => length));
    return Array.from({ length: height }, (_, number) =>
      formatLine(
        number === 0 ? before : '',
        folded.map((lines) => lines[number] ?? ''),
        row,
      ),
    ).join('');
  };
  const titles = columns.map(({ title }) => title);
  const lines = rows.map((row, index) => formatRow(mark(row), cells[index] ?? [], row));
  return (heading ? formatRow('', titles) : '') + lines.join('');
}

function readCells<Row>(row: Row, columns: readonly Column<Row>[], truncate: boolean): readonly string[] {
  const values = columns.map(({ read }) => read(row));
  const isShort = columns.every(
    ({ maxWidth }, index) =>
      (values[index] ?? '').length <= ((truncate ? maxWidth : undefined) ?? SHORT_CELL),
  );
  if (isShort && isPlain(values.join(' '))) return values;
  return values.map((value, index) => toPrintable(value, truncate ? columns[index]?.maxWidth : MAX_CELL));
}

/** `toPrintable` changes no such text. */
const plain = /^[ -~]*$/;
const SHORT_CELL = 1000;

function isPlain(text: string): boolean {
  return plain.test(text) && !text.includes('//');
}

function readLength({ length }: string): number {
  return length;
}

/** The longest value without truncation: a value of an image must not fill the terminal. */
const MAX_CELL = 10_000;

const MARK_WIDTH = 2;

function fitCell(text: string, width: number, fit: Fit | undefined): readonly string[] {
  if (fit === undefined || measureWidth(text) <= width) return [text];
  return fit === 'wrap' ? foldText(text, width) : [cutText(text, width, fit === 'end' ? 'end' : 'middle')];
}
