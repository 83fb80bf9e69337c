/** The transfer of a layer, with the samples that give its rate. All times are milliseconds of one clock. */
export interface Transfer {
  /** The size in bytes; 0 when it is not known. */
  readonly total: number;
  readonly received: number;
  readonly startedAt: number;
  /** The samples, oldest first. The first one is the newest before the window, so that they cover the whole window. */
  readonly samples: readonly Sample[];
}

interface Sample {
  readonly at: number;
  readonly received: number;
}

/** The rate is the average of the last five seconds. */
const WINDOW = 5000;
/** The shortest time between two samples; there may be thousands of reports in a second. */
const SAMPLE_DISTANCE = 200;
/** A younger transfer has no rate: it would show the speed of buffers, not of the network. */
const MIN_AGE = 500;

export function startTransfer(total: number, now: number): Transfer {
  return { total, received: 0, startedAt: now, samples: [{ at: now, received: 0 }] };
}

/** Adds the number of received bytes at `now`. */
export function updateTransfer(transfer: Transfer, received: number, now: number): Transfer {
  const last = transfer.samples.at(-1);
  if (last !== undefined && now - last.at < SAMPLE_DISTANCE) return { ...transfer, received };
  const samples = [...transfer.samples, { at: now, received }];
  const firstInside = samples.findIndex(({ at }) => at > now - WINDOW);
  return { ...transfer, received, samples: samples.slice(Math.max(0, firstInside - 1)) };
}

/** @returns bytes per second; `undefined` while the transfer is too young */
export function estimateRate(transfer: Transfer, now: number): number | undefined {
  const [oldest] = transfer.samples;
  if (oldest === undefined || now - oldest.at < MIN_AGE) return undefined;
  return ((transfer.received - oldest.received) / (now - oldest.at)) * 1000;
}

/** @returns `undefined` when the size or the rate is not known, or the rate is 0 */
export function estimateSecondsLeft(transfer: Transfer, now: number): number | undefined {
  const rate = estimateRate(transfer, now);
  if (transfer.total === 0 || rate === undefined || rate <= 0) return undefined;
  return Math.max(0, transfer.total - transfer.received) / rate;
}
