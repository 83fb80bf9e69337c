/** Peak memory of a pull into an empty store, all processes together; and whether it grows with the layer. */
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { measureRounds, type Sample } from '../measure.ts';

/** Each takes 4 GB of the disk, and peaks differ little from run to run. */
const MOST_LARGE_PAIRS = 2;

export async function measurePullMemory(bench: Bench): Promise<Comparison[]> {
  const standardImage = await bench.images.rootInOneLayer();
  const largeImage = await bench.images.largeRootInOneLayer();
  const standard = await measurePulls(bench, '200', standardImage, bench.pairs);
  const large = await measurePulls(bench, '2000', largeImage, Math.min(bench.pairs, MOST_LARGE_PAIRS));
  const podman = { against: '`podman pull`', aim: 1, metric: 'memory' } as const;
  return [
    { what: 'peak memory of the pull of 200 MB', ...podman, ...standard },
    { what: 'peak memory of a pull of 2 GB, 67,000 files, in one layer', ...podman, ...large },
    {
      what: 'the same',
      against: 'peak memory of `atomic pull` of 200 MB',
      aim: 1.05,
      metric: 'memory',
      ours: large.ours,
      other: standard.ours,
    },
  ];
}

function measurePulls(
  bench: Bench,
  stores: string,
  image: string,
  rounds: number,
): Promise<Record<'ours' | 'other', Sample[]>> {
  return measureRounds(
    {
      ours: (round) => bench.atomic.command(bench.folder.join(stores, `atomic-${round}`), ['pull', image]),
      other: (round) => bench.podman.command(bench.folder.join(stores, `podman-${round}`), ['pull', image]),
    },
    { rounds, warmUp: false, memory: true },
  );
}
