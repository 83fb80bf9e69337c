/** A pull of a new version that shares all layers but a small one with what is there. */
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { type Command, measureRounds, run } from '../measure.ts';

export async function measurePullUpdate(bench: Bench): Promise<Comparison[]> {
  // The first is there before; each round, the one that is thrown away too, pulls the next.
  const [first = '', ...versions] = await bench.images.versions(bench.pairs + 2);
  const pull = {
    ours: (image: string): Command =>
      bench.atomic.command(bench.folder.join('update-atomic'), ['pull', image]),
    other: (image: string): Command =>
      bench.podman.command(bench.folder.join('update-podman'), ['pull', image]),
  };
  await run(pull.ours(first));
  await run(pull.other(first));
  const { ours, other } = await measureRounds(
    {
      ours: (round) => pull.ours(versions[round] ?? ''),
      other: (round) => pull.other(versions[round] ?? ''),
    },
    { rounds: bench.pairs },
  );
  const what = 'pull of a new version, 10 MB of the 200 MB changed';
  return [{ what, against: '`podman pull`', aim: 0.8, metric: 'time', ours, other }];
}
