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
  const cells = rows.map((row) =>
    columns.map(({ read, maxWidth }) => toPrintable(read(row), truncate ? maxWidth : MAX_CELL)),
  );
  const described = columns.map(({ title, minWidth = 0, fit, leaves }, index) => ({
    content: Math.max(title.length, ...cells.map((line) => measureWidth(line[index] ?? ''))),
    wanted: minWidth,
    title: title.length,
    fit,
    leaves,
  }));
  const room = truncate && display.width !== undefined ? display.width - MARK_WIDTH - 1 : undefined;
  const layout = fitColumns(described, gap, room);
  const formatRow = (
    before: string,
    line: readonly string[],
    tones: readonly (Tone | undefined)[],
  ): string => {
    const parts = columns.flatMap(({ fit }, index) => {
      const width = layout.widths[index];
      if (width === undefined) return [];
      return [{ lines: fitCell(line[index] ?? '', width, fit), width, tone: tones[index] }];
    });
    const height = Math.max(...parts.map(({ lines }) => lines.length));
    return Array.from({ length: height }, (_, number) => {
      const texts = parts.map(({ lines, width, tone }) => {
        const text = lines[number] ?? '';
        return `${paint(text, tone, display)}${' '.repeat(Math.max(0, width - measureWidth(text)))}`;
      });
      const start = (number === 0 ? before : '').padEnd(MARK_WIDTH);
      return `${`${start} ${texts.join(' '.repeat(layout.gap))}`.trimEnd()}\n`;
    }).join('');
  };
  const titles = columns.map(({ title }) => title);
  const lines = rows.map((row, index) =>
    formatRow(
      mark(row),
      cells[index] ?? [],
      columns.map(({ tone }) => tone?.(row)),
    ),
  );
  return (heading ? formatRow('', titles, []) : '') + lines.join('');
}

/** The longest value without truncation: a value of an image must not fill the terminal. */
const MAX_CELL = 10_000;

const MARK_WIDTH = 2;

function fitCell(text: string, width: number, fit: Fit | undefined): readonly string[] {
  if (fit === undefined || measureWidth(text) <= width) return [text];
  return fit === 'wrap' ? foldText(text, width) : [cutText(text, width, fit === 'end' ? 'end' : 'middle')];
}
