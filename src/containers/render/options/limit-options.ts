/** Options with one value: the limits of the whole container, its network, and the time that it has to stop. */
import { type OptionName, rejectOption } from './service-options.ts';

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};
/** Below this, runc itself does not fit into the cgroup. */
const MIN_MEMORY = 6 * 2 ** 20;
/** Twice the largest machine that Linux supports. */
const MAX_MEMORY = 2 ** 53 - 1;

/** In microseconds. */
export const CPU_PERIOD = 100_000;
/** NR_CPUS of the kernel. */
const MAX_CPUS = 8192;
/** PID_MAX_LIMIT of the kernel. */
const MAX_PIDS = 4_194_304;
const MAX_STOP_SECONDS = 86_400;

/** @returns bytes; @throws BAD_VALUE */
export function parseMemory(value: string): number {
  const [, digits, unit = ''] = /^([0-9]{1,16}(?:\.[0-9]{1,6})?)([bkmgt]?)(?:ib)?$/i.exec(value) ?? [];
  const hint = 'Write a number with a unit: --memory 512m, --memory 2g; the least is 6m.';
  const reject = (reason: string): Error => rejectOption('memory', value, reason, hint);
  if (digits === undefined) throw reject('it is no size of memory');
  const bytes = Math.floor(Number(digits) * (units[unit.toLowerCase()] ?? 1));
  if (bytes < MIN_MEMORY) throw reject('it is less than 6 MiB, and the container could not start');
  if (bytes > MAX_MEMORY) throw reject('it is more than any machine has');
  return bytes;
}

/** @returns microseconds in each `CPU_PERIOD`; @throws BAD_VALUE */
export function parseCpus(value: string): number {
  const cpus = /^[0-9]{1,5}(?:\.[0-9]{1,9})?$|^\.[0-9]{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (cpus >= 0.01 && cpus <= MAX_CPUS) return Math.round(cpus * CPU_PERIOD);
  throw rejectOption(
    'cpus',
    value,
    `it is no number from 0.01 to ${MAX_CPUS}`,
    'Write how many processors it may use: --cpus 1.5',
  );
}

/** @throws BAD_VALUE */
export function parsePids(value: string): number {
  return parseCount('pids-limit', value, { most: MAX_PIDS, hint: 'Write how many tasks it may have.' });
}

/** @returns seconds; @throws BAD_VALUE */
export function parseStopTimeout(value: string): number {
  return parseCount('stop-timeout', value, {
    most: MAX_STOP_SECONDS,
    hint: 'Write the number of seconds after which systemd kills a service that has not stopped.',
  });
}

/** @throws BAD_VALUE */
export function parseNetwork(value: string): 'host' | 'none' {
  if (value === 'host' || value === 'none') return value;
  throw rejectOption(
    'network',
    value,
    'it is neither host nor none',
    'A container uses the network of the host, or none. There are no bridges and no published ports.',
  );
}

function parseCount(
  option: OptionName,
  value: string,
  { most, hint }: { readonly most: number; readonly hint: string },
): number {
  const count = /^[0-9]{1,9}$/.test(value) ? Number(value) : 0;
  if (count >= 1 && count <= most) return count;
  throw rejectOption(option, value, `it is no whole number from 1 to ${most}`, hint);
}
