import type { OptionTable } from '../../cli/arguments/command-spec.ts';

/** Options that both lists have. */
export const listOptions = {
  filter: {
    kind: 'list',
    label: 'NAME=VALUE',
    short: 'f',
    description: 'Show only lines where NAME contains VALUE, in upper or lower case. All filters must match.',
  },
  noheading: { kind: 'flag', short: 'n', description: 'Leave the heading out.' },
  json: { kind: 'flag', description: 'Print a JSON list.' },
} as const satisfies OptionTable;
