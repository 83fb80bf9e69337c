import { formatSize } from '../output/format-size.ts';
import { formatDuration } from '../output/format-time.ts';
import { estimateRate, estimateSecondsLeft, type Transfer } from './transfer.ts';

const LABEL_WIDTH = 12;
const MAX_BAR = 30;
const MIN_BAR = 10;
const GAP = '  ';

/**
 * Formats the line of one layer: name, bar, percentage, bytes, rate, time left. A narrow line leaves out the bytes, then
 * the rate, then the time.
 *
 * @param name hex of the digest, or any other name
 * @param width the longest line in characters
 */
export function formatProgressBar(name: string, transfer: Transfer, now: number, width: number): string {
  const label = name.slice(0, LABEL_WIDTH).padEnd(LABEL_WIDTH);
  const bytes = formatBytes(transfer).padStart(21);
  const percent = formatPercent(transfer).padStart(4);
  const rate = formatRate(transfer, now).padStart(11);
  const left = formatTimeLeft(transfer, now).padStart(5);
  const candidates = [[percent, bytes, rate, left], [percent, rate, left], [percent, left], [percent]];
  for (const parts of candidates) {
    const text = parts.join(GAP);
    const room = width - label.length - text.length - 2 * GAP.length;
    if (room >= MIN_BAR + 2)
      return [label, drawBar(transfer, Math.min(room, MAX_BAR + 2)), text].join(GAP).trimEnd();
  }
  return `${label}${GAP}${percent}`.slice(0, Math.max(0, width));
}

/** Formats the same as text for a log: `Layer e4410b03d7db: 12.00 MB of 95.20 MB, 3.10 MB/s, 00:27 left`. */
export function formatProgressLine(name: string, transfer: Transfer, now: number): string {
  const left = formatTimeLeft(transfer, now);
  const parts = [
    transfer.total === 0
      ? formatSize(transfer.received)
      : `${formatSize(transfer.received)} of ${formatSize(transfer.total)}`,
    formatRate(transfer, now),
    left && `${left} left`,
  ];
  return `Layer ${name.slice(0, LABEL_WIDTH)}: ${parts.filter((part) => part !== '').join(', ')}`;
}

function drawBar({ received, total }: Transfer, width: number): string {
  const room = width - 2;
  const filled = total === 0 ? 0 : Math.min(room, Math.floor((received / total) * room));
  return `[${'#'.repeat(filled)}${'-'.repeat(room - filled)}]`;
}

function formatPercent({ received, total }: Transfer): string {
  return total === 0 ? '' : `${Math.min(100, Math.floor((received / total) * 100))}%`;
}

function formatBytes({ received, total }: Transfer): string {
  return total === 0 ? formatSize(received) : `${formatSize(received)} / ${formatSize(total)}`;
}

function formatRate(transfer: Transfer, now: number): string {
  const rate = estimateRate(transfer, now);
  return rate === undefined ? '' : `${formatSize(rate)}/s`;
}

function formatTimeLeft(transfer: Transfer, now: number): string {
  const seconds = estimateSecondsLeft(transfer, now);
  return seconds === undefined ? '' : formatDuration(seconds);
}
