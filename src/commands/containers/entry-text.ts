/** Formats labels with text after them, for a terminal of 80 columns. */
import { toPrintable } from '../../base/printable.ts';
import { wrapText } from '../../cli/output/text-width.ts';

export interface LabelledText {
  readonly label: string;
  /** None: the entry is left out. */
  readonly lines: readonly string[];
  /** Cuts a long line instead of wrapping it. */
  readonly isCut?: boolean;
}

const LINE_WIDTH = 80;
const INDENT = '  ';
const LABEL_WIDTH = 13;
const TEXT_WIDTH = LINE_WIDTH - INDENT.length - LABEL_WIDTH;
/** The longest text that is wrapped. */
const MAX_TEXT = 4000;

/** Formats entries one below the other. A word that is longer than a line, such as a path, stays whole. */
export function formatEntries(entries: readonly LabelledText[]): string {
  return entries
    .flatMap(({ label, lines, isCut }) =>
      lines
        .flatMap((line) => (isCut ? [toPrintable(line, TEXT_WIDTH)] : wrapLine(line)))
        .map((text, index) => `${INDENT}${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${text}\n`),
    )
    .join('');
}

/** The rest of a wrapped line is indented, so that a reader sees where the next line begins. */
function wrapLine(line: string): readonly string[] {
  const [first = '', ...rest] = wrapText(
    toPrintable(line, MAX_TEXT).replace(/ +/g, ' '),
    TEXT_WIDTH - INDENT.length,
  );
  return [first, ...rest.map((text) => `${INDENT}${text}`)];
}
