import { describe, expect, test } from 'bun:test';
import {
  estimateRate,
  estimateSecondsLeft,
  startTransfer,
  type Transfer,
  updateTransfer,
} from '../../src/cli/progress/transfer.ts';

/** Plays reports of `[milliseconds, bytes received]`. */
function play(total: number, reports: readonly (readonly [number, number])[]): Transfer {
  return reports.reduce(
    (transfer, [at, received]) => updateTransfer(transfer, received, at),
    startTransfer(total, 0),
  );
}

describe('rate and time left', () => {
  test.each([
    {
      what: 'too early to tell',
      total: 1000,
      reports: [[100, 50]],
      now: 400,
      rate: undefined,
      left: undefined,
    },
    {
      what: 'steady',
      total: 10_000,
      reports: [
        [500, 500],
        [1000, 1000],
      ],
      now: 1000,
      rate: 1000,
      left: 9,
    },
    { what: 'stalled since', total: 10_000, reports: [[1000, 1000]], now: 4000, rate: 250, left: 36 },
    { what: 'nothing yet', total: 10_000, reports: [], now: 1000, rate: 0, left: undefined },
    { what: 'size unknown', total: 0, reports: [[1000, 1000]], now: 1000, rate: 1000, left: undefined },
    { what: 'complete', total: 1000, reports: [[1000, 1000]], now: 1000, rate: 1000, left: 0 },
    { what: 'more than announced', total: 1000, reports: [[1000, 2000]], now: 1000, rate: 2000, left: 0 },
    {
      what: 'reports in a burst',
      total: 1000,
      reports: [
        [10, 100],
        [20, 200],
        [30, 500],
      ],
      now: 1000,
      rate: 500,
      left: 1,
    },
  ] as const)('$what', ({ total, reports, now, rate, left }) => {
    const transfer = play(total, reports);
    expect({ rate: estimateRate(transfer, now), left: estimateSecondsLeft(transfer, now) }).toEqual({
      rate,
      left,
    });
  });

  test('the last five seconds count: a transfer that became slow is slow', () => {
    const fast = Array.from(
      { length: 10 },
      (_, second) => [(second + 1) * 1000, (second + 1) * 1000] as const,
    );
    const slow = Array.from(
      { length: 10 },
      (_, second) => [(second + 11) * 1000, 10_000 + (second + 1) * 10] as const,
    );
    const transfer = play(100_000, [...fast, ...slow]);
    expect(estimateRate(transfer, 20_000)).toBe(10);
    expect(transfer.samples.length).toBe(6);
  });

  test('thousands of reports in a second are not kept', () => {
    const reports = Array.from({ length: 10_000 }, (_, index) => [index, index] as const);
    expect(play(10_000, reports).samples.length).toBeLessThanOrEqual(27);
  });
});
