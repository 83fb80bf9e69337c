/** The options that decide when an update or a rollback counts the service as up. */

import { AtomicError } from '../../base/errors.ts';
import type { OptionSpec } from '../../cli/arguments/command-spec.ts';
import type { HealthChoice } from '../../containers/update/choose-health.ts';

export const healthOptions = {
  settle: {
    kind: 'value',
    label: 'SECONDS',
    description:
      'How long the service must run without a restart to count as up. The default is settle of manifest.json, otherwise 5.',
  },
  'no-health-check': {
    kind: 'flag',
    description: 'Do not run the health check of the image.',
  },
} as const satisfies Record<string, OptionSpec>;

const MAX_SECONDS = 3600;

/** @throws BAD_VALUE */
export function parseHealthOptions(options: {
  readonly settle?: string | undefined;
  readonly 'no-health-check': boolean;
}): HealthChoice {
  return { settle: parseSettleOption(options.settle), checksHealth: !options['no-health-check'] };
}

/** The option of the verbs that start a service for a person. */
export const settleOption = {
  kind: 'value',
  label: 'SECONDS',
  description: 'How long the service must run without a restart. The default is 2.',
} as const satisfies OptionSpec;

/** @throws BAD_VALUE */
export function parseSettleOption(settle: string | undefined): number | undefined {
  const seconds = settle === undefined ? undefined : Number(settle);
  if (seconds !== undefined && !(settle?.trim() !== '' && seconds >= 0 && seconds <= MAX_SECONDS)) {
    throw new AtomicError('BAD_VALUE', `Invalid value '${settle}' of --settle`, {
      hint: `Give a number of seconds up to ${MAX_SECONDS}.`,
    });
  }
  return seconds;
}
