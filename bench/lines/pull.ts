/** A pull into an empty store: a fresh folder for each run. */
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { measureRounds, run, SHORT_COMMAND_FACTOR } from '../measure.ts';

export async function measurePullOneLayer(bench: Bench): Promise<Comparison[]> {
  const image = await bench.images.rootInOneLayer();
  return measurePull(bench, 'one', image, { what: 'pull of 200 MB, 6,700 files, in one layer', aim: 0.5 });
}

export async function measurePullFourLayers(bench: Bench): Promise<Comparison[]> {
  const image = await bench.images.rootInFourLayers();
  return measurePull(bench, 'four', image, { what: 'the same in four layers', aim: 0.5 });
}

export async function measurePullSixtyLayers(bench: Bench): Promise<Comparison[]> {
  const image = await bench.images.rootInLayers(60);
  return measurePull(bench, 'sixty', image, { what: 'the same in sixty layers', aim: 0.35 });
}

/** Nothing is fetched: the registry has what is stored. */
export async function measurePullCurrent(bench: Bench): Promise<Comparison[]> {
  const image = await bench.images.rootInFourLayers();
  const pull = {
    ours: () => bench.atomic.command(bench.folder.join('current-atomic'), ['pull', image]),
    other: () => bench.podman.command(bench.folder.join('current-podman'), ['pull', image]),
  };
  await run(pull.ours());
  await run(pull.other());
  const rounds = bench.pairs * SHORT_COMMAND_FACTOR;
  const samples = await measureRounds(pull, { rounds, sync: false });
  const what = 'pull of an image that is up to date';
  return [{ what, against: '`podman pull`', aim: 0.5, metric: 'time', ...samples }];
}

async function measurePull(
  bench: Bench,
  stores: string,
  image: string,
  row: { readonly what: string; readonly aim: number },
): Promise<Comparison[]> {
  const { ours, other } = await measureRounds(
    {
      ours: (round) => bench.atomic.command(bench.folder.join(stores, `atomic-${round}`), ['pull', image]),
      other: (round) => bench.podman.command(bench.folder.join(stores, `podman-${round}`), ['pull', image]),
    },
    { rounds: bench.pairs },
  );
  return [{ ...row, against: '`podman pull`', metric: 'time', ours, other }];
}
