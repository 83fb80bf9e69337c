/** How fast a layer arrives, from the numbers that were seen. All times are milliseconds of one clock. */
export interface Transfer {
  /** Bytes in all; 0 when it is not known. */
  readonly total: number;
  readonly received: number;
  readonly startedAt: number;
  /** Oldest first; the first is the newest that is older than the window, so that the window is always covered. */
  readonly samples: readonly Sample[];
}

interface Sample {
  readonly at: number;
  readonly received: number;
}

/** The rate is that of the last five seconds: calm enough to read, quick enough to follow a change. */
const WINDOW = 5000;
/** Samples nearer to each other than this are not kept; there may be thousands of reports in a second. */
const SAMPLE_DISTANCE = 200;
/** Below this age a rate says more about buffers than about the network. */
const MIN_AGE = 500;

export function startTransfer(total: number, now: number): Transfer {
  return { total, received: 0, startedAt: now, samples: [{ at: now, received: 0 }] };
}

/** Adds what is known at `now`. */
export function updateTransfer(transfer: Transfer, received: number, now: number): Transfer {
  const last = transfer.samples.at(-1);
  if (last !== undefined && now - last.at < SAMPLE_DISTANCE) return { ...transfer, received };
  const samples = [...transfer.samples, { at: now, received }];
  const firstInside = samples.findIndex(({ at }) => at > now - WINDOW);
  return { ...transfer, received, samples: samples.slice(Math.max(0, firstInside - 1)) };
}

/** @returns bytes in a second; `undefined` while it is too early to tell */
export function estimateRate(transfer: Transfer, now: number): number | undefined {
  const [oldest] = transfer.samples;
  if (oldest === undefined || now - oldest.at < MIN_AGE) return undefined;
  return ((transfer.received - oldest.received) / (now - oldest.at)) * 1000;
}

/** @returns `undefined` when size or rate are not known, or nothing arrives */
export function estimateSecondsLeft(transfer: Transfer, now: number): number | undefined {
  const rate = estimateRate(transfer, now);
  if (transfer.total === 0 || rate === undefined || rate <= 0) return undefined;
  return Math.max(0, transfer.total - transfer.received) / rate;
}
