/** What standard output is: a terminal, or a file or pipe, whose lines may be of any length. */
export interface Display {
  /** Columns of the terminal; `undefined` without one. */
  readonly width: number | undefined;
  readonly hasColor: boolean;
}

export const plainDisplay: Display = { width: undefined, hasColor: false };

/** The meaning of a state. */
export type Tone = 'good' | 'bad' | 'notable';

const colors: Readonly<Record<Tone, number>> = { good: 32, bad: 31, notable: 33 };

/** Colours a text on a terminal that shows colours. */
export function paint(text: string, tone: Tone | undefined, { hasColor }: Display): string {
  if (!hasColor || tone === undefined || text === '') return text;
  return `\u001b[${colors[tone]}m${text}\u001b[0m`;
}

/** The width of a terminal that does not tell it, such as a serial line. */
const DEFAULT_WIDTH = 80;

/**
 * Describes the terminal of standard output. `COLUMNS` overrides its width. `NO_COLOR` with any value but an empty one turns
 * colours off (no-color.org); a dumb terminal has none.
 *
 * @param columns as the terminal tells them; 0 or `undefined` when it does not
 */
export function describeTerminal(
  env: Readonly<Record<string, string | undefined>>,
  columns: number | undefined,
): Display {
  const wanted = /^[1-9][0-9]{0,4}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : columns;
  return {
    width: wanted || DEFAULT_WIDTH,
    hasColor: !env.NO_COLOR && (env.TERM ?? '') !== '' && env.TERM !== 'dumb',
  };
}
