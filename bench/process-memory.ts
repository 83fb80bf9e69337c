/** Peak memory of a process and everything it starts, sampled from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const SAMPLE_MS = 20;
const BYTES_PER_KIB = 1024;

/** The largest sums over all processes that were seen at one moment. */
export interface PeakMemory {
  /** Proportional set size: a page that N processes share counts as 1/N in each. */
  readonly pssBytes: number;
  /** Resident set size: a shared page counts in every process. */
  readonly rssBytes: number;
}

/** Samples until `stop` is called. */
export function watchMemory(pid: number): { stop(): PeakMemory } {
  let peak: PeakMemory = { pssBytes: 0, rssBytes: 0 };
  const sample = (): void => {
    const now = listTree(pid).map(readMemory);
    peak = {
      pssBytes: Math.max(peak.pssBytes, sum(now.map(({ pssBytes }) => pssBytes))),
      rssBytes: Math.max(peak.rssBytes, sum(now.map(({ rssBytes }) => rssBytes))),
    };
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}

/** Any thread may have started a child, in a Go program above all. */
function listTree(pid: number): number[] {
  const threads = readGone(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  const children = threads.flatMap((thread) =>
    (readGone(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? '')
      .split(' ')
      .filter((child) => child !== ''),
  );
  return [pid, ...children.flatMap((child) => listTree(Number(child)))];
}

function readMemory(pid: number): PeakMemory {
  const rollup = readGone(() => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? '';
  return { pssBytes: readField(rollup, 'Pss'), rssBytes: readField(rollup, 'Rss') };
}

/** 0 for a process that has just ended. */
function readField(rollup: string, name: string): number {
  const kibibytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(rollup)?.[1];
  return Number(kibibytes ?? 0) * BYTES_PER_KIB;
}

/** Undefined when the process or thread has ended meanwhile. */
function readGone<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) {
      return undefined;
    }
    throw error;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
