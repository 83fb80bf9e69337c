/** A pull into an empty store: a fresh folder for each run. */
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { measureRounds } from '../measure.ts';

export async function measurePullOneLayer(bench: Bench): Promise<Comparison[]> {
  const image = await bench.images.rootInOneLayer();
  return measurePull(bench, 'one', image, 'pull of 200 MB, 6,700 files, in one layer');
}

export async function measurePullFourLayers(bench: Bench): Promise<Comparison[]> {
  const image = await bench.images.rootInFourLayers();
  return measurePull(bench, 'four', image, 'the same in four layers');
}

export async function measurePullSixtyLayers(bench: Bench): Promise<Comparison[]> {
  const image = await bench.images.rootInLayers(60);
  return measurePull(bench, 'sixty', image, 'the same in sixty layers');
}

async function measurePull(bench: Bench, stores: string, image: string, what: string): Promise<Comparison[]> {
  const { ours, other } = await measureRounds(
    {
      ours: (round) => bench.atomic.command(bench.folder.join(stores, `atomic-${round}`), ['pull', image]),
      other: (round) => bench.podman.command(bench.folder.join(stores, `podman-${round}`), ['pull', image]),
    },
    { rounds: bench.pairs },
  );
  return [{ what, against: '`podman pull`', aim: 0.6, metric: 'time', ours, other }];
}
