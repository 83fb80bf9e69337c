/** Two programs measured in the same rounds, and the statistics of their numbers. */
import type { Sample } from './measure.ts';

export type Metric = 'time' | 'memory' | 'disk';

export interface Comparison {
  /** The subject of the measurement and the comparison, in words of the table. */
  readonly what: string;
  readonly against: string;
  /** The highest ratio that meets the aim. */
  readonly aim?: number;
  /** How many milliseconds more are wanted, or less, instead of a ratio. */
  readonly moreMs?: number;
  readonly metric: Metric;
  /** Samples with the same index are a pair. */
  readonly ours: readonly Sample[];
  readonly other: readonly Sample[];
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The spread of a value over runs. */
export function describeSpread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const lower = sorted[Math.floor(middle)] ?? Number.NaN;
  const upper = sorted[Math.ceil(middle)] ?? Number.NaN;
  return {
    median: (lower + upper) / 2,
    least: sorted[0] ?? Number.NaN,
    most: sorted.at(-1) ?? Number.NaN,
  };
}

/** Ours divided by the other, pair by pair. */
export function describeRatios({ ours, other }: Comparison, read: (sample: Sample) => number): Spread {
  return describeSpread(
    ours.flatMap((sample, index) => {
      const paired = other[index];
      return paired === undefined ? [] : [read(sample) / read(paired)];
    }),
  );
}

/** Ours less the other, pair by pair. */
export function describeDifferences({ ours, other }: Comparison, read: (sample: Sample) => number): Spread {
  return describeSpread(
    ours.flatMap((sample, index) => {
      const paired = other[index];
      return paired === undefined ? [] : [read(sample) - read(paired)];
    }),
  );
}

/** Milliseconds or bytes. */
export function readMetric(metric: Metric): (sample: Sample) => number {
  switch (metric) {
    case 'time':
      return ({ wallMs }) => wallMs;
    case 'memory':
      return ({ memory }) => memory?.pssBytes ?? Number.NaN;
    case 'disk':
      return ({ diskBytes }) => diskBytes ?? Number.NaN;
  }
}
