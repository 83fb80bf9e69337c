/** The list of 50 images. */
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { measureRounds, run, SHORT_COMMAND_FACTOR } from '../measure.ts';

const COUNT = 50;

export async function measureImagesList(bench: Bench): Promise<Comparison[]> {
  const stores = { ours: bench.folder.join('images-atomic'), other: bench.folder.join('images-podman') };
  for (const image of await bench.images.smallImages(COUNT)) {
    await run(bench.atomic.command(stores.ours, ['pull', image]));
    await run(bench.podman.command(stores.other, ['pull', image]));
  }
  const { ours, other } = await measureRounds(
    {
      ours: () => bench.atomic.command(stores.ours, ['images', 'list']),
      other: () => bench.podman.command(stores.other, ['images']),
    },
    { rounds: bench.pairs * SHORT_COMMAND_FACTOR, sync: false },
  );
  const what = `\`images list\` of ${COUNT} images`;
  return [{ what, against: '`podman images`', aim: 1, metric: 'time', ours, other }];
}
