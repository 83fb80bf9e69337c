import type { ProgressEvent } from '../../base/events.ts';
import { toPrintable } from '../../base/printable.ts';
import { formatDuration } from '../output/format-time.ts';
import { formatDigest } from './event-line.ts';
import { formatProgressBar, formatProgressLine } from './progress-bar.ts';
import { startTransfer, type Transfer, updateTransfer } from './transfer.ts';

/** The work in progress: layers in transfer, and at most one step that cannot be measured. */
export interface Activity {
  /** The transfers by digest, in the order of their start. */
  readonly transfers: ReadonlyMap<string, Transfer>;
  readonly step: { readonly text: string; readonly startedAt: number } | undefined;
}

export const idle: Activity = { transfers: new Map(), step: undefined };

/**
 * Applies an event. A step ends with the next event, unless that is about a layer, a warning or a wait.
 *
 * @param now milliseconds, of the same clock for all calls
 */
export function updateActivity(activity: Activity, event: ProgressEvent, now: number): Activity {
  const { transfers, step } = activity;
  switch (event.kind) {
    case 'layer-started':
      return { step, transfers: new Map(transfers).set(event.digest, startTransfer(event.bytes, now)) };
    case 'layer-progress': {
      const transfer = transfers.get(event.digest);
      if (transfer === undefined) return activity;
      return {
        step,
        transfers: new Map(transfers).set(event.digest, updateTransfer(transfer, event.received, now)),
      };
    }
    case 'layer-finished': {
      const rest = new Map(transfers);
      rest.delete(event.digest);
      return { step, transfers: rest };
    }
    case 'step':
      return { transfers, step: { text: toPrintable(event.text), startedAt: now } };
    case 'warning':
    case 'remark':
    case 'asks':
    case 'waiting':
      return activity;
    default:
      return { transfers, step: undefined };
  }
}

/** Formats the lines for the live area of a terminal. @param width columns */
export function formatActivity({ transfers, step }: Activity, now: number, width: number): string[] {
  const lines = [...transfers].map(([digest, transfer]) =>
    formatProgressBar(formatDigest(digest), transfer, now, width),
  );
  if (step === undefined) return lines;
  const time = formatDuration((now - step.startedAt) / 1000);
  return [...lines, `${step.text} ... ${time}`.slice(0, Math.max(0, width))];
}

/**
 * Formats the lines for a log.
 *
 * @param minAge only work of this age is described, in milliseconds
 */
export function describeActivity({ transfers, step }: Activity, now: number, minAge: number): string[] {
  const lines = [...transfers]
    .filter(([, transfer]) => now - transfer.startedAt >= minAge)
    .map(([digest, transfer]) => formatProgressLine(formatDigest(digest), transfer, now));
  if (step === undefined || now - step.startedAt < minAge) return lines;
  return [...lines, `${step.text} ... ${formatDuration((now - step.startedAt) / 1000)}`];
}
