/** How a column becomes narrower when the terminal is narrower than the table. Without a way it keeps its width. */
export type Fit =
  /** The middle of long cells becomes `...`: names, which differ at both ends. */
  | 'middle'
  /** The end of long cells becomes `...`; these columns become narrower first. */
  | 'end'
  /** Long cells take several lines: sentences. */
  | 'wrap'
  /** As `middle`, when all others are as narrow as can be: names that a person types again. */
  | 'last';

/** When a column is left out: before anything is cut, or when names would be cut to less than is useful. */
export type Leaving = 'early' | 'late';

interface ColumnWidths {
  /** The width of the longest cell, and of the title. */
  readonly content: number;
  /** The least width when there is room. */
  readonly wanted: number;
  readonly title: number;
  readonly fit: Fit | undefined;
  readonly leaves: Leaving | undefined;
}

interface Layout {
  readonly gap: number;
  /** The width of each column; `undefined` for a column that is left out. */
  readonly widths: readonly (number | undefined)[];
}

/** The widths to which cells are cut before, and after, columns leave late. */
const usefulWidths: Readonly<Record<Fit, number>> = { end: 8, middle: 24, wrap: 20, last: 40 };
const leastWidths: Readonly<Record<Fit, number>> = { end: 8, middle: 12, wrap: 20, last: 12 };
const order: readonly (readonly Fit[])[] = [['end'], ['middle', 'wrap'], ['last']];

/**
 * Chooses the widths of columns. A table that is too wide loses blanks first. On a very narrow terminal it stays too wide.
 *
 * @param width of the terminal, without what stands before the first column; `undefined` for any
 */
export function fitColumns(columns: readonly ColumnWidths[], gap: number, width: number | undefined): Layout {
  const wide = { gap, widths: columns.map(({ content, wanted }) => Math.max(content, wanted)) };
  if (width === undefined || measure(wide) <= width) return wide;
  const leave = (early: boolean, late: boolean): (number | undefined)[] =>
    columns.map(({ content, leaves }) =>
      (early && leaves === 'early') || (late && leaves === 'late') ? undefined : content,
    );
  const steps = [
    leave(false, false),
    leave(true, false),
    narrow(columns, leave(true, false), usefulWidths, width),
    narrow(columns, leave(true, true), leastWidths, width),
  ];
  const layouts = steps.map((widths) => ({ gap: 1, widths }));
  return layouts.find((layout) => measure(layout) <= width) ?? layouts.at(-1) ?? wide;
}

/** Narrows columns in the order of `order`, always the widest. */
function narrow(
  columns: readonly ColumnWidths[],
  widths: (number | undefined)[],
  least: Readonly<Record<Fit, number>>,
  width: number,
): readonly (number | undefined)[] {
  for (const fits of order) {
    const floors = columns.map(({ fit, title }) =>
      fit === undefined || !fits.includes(fit) ? undefined : Math.max(title, least[fit]),
    );
    for (let excess = measure({ gap: 1, widths }) - width; excess > 0; excess--) {
      const widest = findWidest(widths, floors);
      if (widest === undefined) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  }
  return widths;
}

/** Finds the widest column above its floor; a column without a floor does not count. */
function findWidest(
  widths: readonly (number | undefined)[],
  floors: readonly (number | undefined)[],
): number | undefined {
  let widest: number | undefined;
  for (const [index, width] of widths.entries()) {
    if (width === undefined || width <= (floors[index] ?? width)) continue;
    if (widest === undefined || width > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}

function measure({ gap, widths }: Layout): number {
  const shown = widths.filter((width) => width !== undefined);
  return shown.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, shown.length - 1);
}
