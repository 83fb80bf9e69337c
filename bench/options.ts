import { parseArgs } from 'node:util';
import { lineNames } from './lines.ts';

export interface BenchOptions {
  /** Measured pairs of each line; short commands are run ten times as often. */
  readonly pairs: number;
  /** Names of the lines to measure. */
  readonly lines: readonly string[];
  /** Whether the results are kept; a quick run is only printed. */
  readonly keep: boolean;
}

const DEFAULT_PAIRS = 7;
const QUICK_PAIRS = 2;

const help = `usage: npm run bench -- [--pairs N] [--only NAME]... [--quick]

Measures atomic against other programs, in pairs. Prints medians and ratios, keeps the raw numbers in
bench/results/latest.json and rewrites the table in docs/performance.md. Needs root, podman and a quiet machine.

  --pairs N    pairs of each line; default ${DEFAULT_PAIRS}
  --only NAME  only this line; the others keep their results
  --quick      ${QUICK_PAIRS} pairs, printed and not kept

lines: ${lineNames.join(', ')}`;

/**
 * @returns `help` when it was asked for
 * @throws Error with one line for the person
 */
export function parseOptions(args: readonly string[]): BenchOptions | { readonly help: string } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pairs: { type: 'string' },
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { help };
  const pairs = values.pairs ?? String(values.quick ? QUICK_PAIRS : DEFAULT_PAIRS);
  if (!/^[1-9][0-9]*$/.test(pairs)) throw new Error(`--pairs ${pairs}: not a positive number`);
  const unknown = values.only?.find((name) => !lineNames.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: not one of ${lineNames.join(', ')}`);
  return { pairs: Number(pairs), lines: values.only ?? lineNames, keep: !values.quick };
}
