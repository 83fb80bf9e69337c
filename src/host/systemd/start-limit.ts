/** How long a start of units may take. */
import type { Host } from '../host.ts';
import { showProperties } from './systemctl.ts';
import { maxLimit } from './unit-jobs.ts';

/**
 * How long to wait for a start beyond the time that systemd itself allows. A `Type=oneshot` has no limit by default, and a
 * unit may wait for another one without a limit.
 */
const patienceMilliseconds = 10 * 60_000;

const milliseconds: Readonly<Record<string, number>> = {
  ...{ us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000 },
  ...{ d: 86_400_000, w: 604_800_000, month: 2_629_800_000, y: 31_557_600_000 },
};

/** @returns milliseconds: ten minutes more than the longest `TimeoutStartSec=` of the units */
export async function findStartLimit(host: Host, units: readonly string[]): Promise<number> {
  const blocks = await showProperties(host, ['TimeoutStartUSec'], units);
  const timeouts = blocks.map((block) => parseTimeSpan(block.get('TimeoutStartUSec') ?? ''));
  return Math.min(maxLimit, patienceMilliseconds + Math.max(0, ...timeouts));
}

/** Parses a time span as `systemctl show` writes it: `1min 30s`. @returns milliseconds; 0 for `infinity` */
export function parseTimeSpan(text: string): number {
  return [...text.matchAll(/([0-9.]+)([a-z]+)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (milliseconds[unit ?? ''] ?? 0),
    0,
  );
}
