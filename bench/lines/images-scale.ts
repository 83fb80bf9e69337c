/**
 * A store with 10, 100 and 1,000 images: how long the list takes, and how long it takes to get rid of half of 100. The
 * images are small and share nothing. podman has at most 100: it would take minutes to get 1,000.
 */
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { type Command, measureRounds, run, type Sample, SHORT_COMMAND_FACTOR } from '../measure.ts';

const [FEW, SOME, MANY] = [10, 100, 1_000] as const;

interface Stores {
  ours(args: readonly string[]): Command;
  other(args: readonly string[]): Command;
}

export async function measureImagesScale(bench: Bench): Promise<Comparison[]> {
  const stores: Stores = {
    ours: (args) => bench.atomic.command(bench.folder.join('scale-atomic'), args),
    other: (args) => bench.podman.command(bench.folder.join('scale-podman'), args),
  };
  const images = await bench.images.smallImages(MANY);
  for (const image of images.slice(0, FEW)) await pullInto(stores, image);
  const few = await measureList(bench, stores, FEW);
  for (const image of images.slice(FEW, SOME)) await pullInto(stores, image);
  const some = await measureList(bench, stores, SOME);
  const removal = await measureRemoval(stores, images.slice(0, SOME));
  for (const image of images) await run(stores.ours(['pull', image]));
  const { many } = await measureRounds(
    { many: () => stores.ours(['images', 'list']) },
    { rounds: bench.pairs * SHORT_COMMAND_FACTOR, sync: false },
  );
  const growth: Comparison = {
    what: `\`images list\` of ${MANY} images`,
    against: `the same of ${FEW}`,
    aim: 2,
    metric: 'time',
    ours: many,
    other: few.ours,
  };
  return [few, some, growth, removal];
}

async function pullInto(stores: Stores, image: string): Promise<void> {
  await run(stores.ours(['pull', image]));
  await run(stores.other(['pull', image]));
}

async function measureList(bench: Bench, stores: Stores, count: number): Promise<Comparison> {
  const { ours, other } = await measureRounds(
    { ours: () => stores.ours(['images', 'list']), other: () => stores.other(['images']) },
    { rounds: bench.pairs * SHORT_COMMAND_FACTOR, sync: false },
  );
  return {
    what: `\`images list\` of ${count} images`,
    against: '`podman images`',
    aim: 1,
    metric: 'time',
    ours,
    other,
  };
}

/** Only one run: a removal cannot be repeated. */
async function measureRemoval(stores: Stores, images: readonly string[]): Promise<Comparison> {
  const removed = images.filter((_, index) => index % 2 === 0);
  const { deletion, prune, other } = await measureRounds(
    {
      deletion: () => stores.ours(['images', 'delete', '-f', ...removed]),
      prune: () => stores.ours(['images', 'prune']),
      other: () => stores.other(['rmi', ...removed]),
    },
    { rounds: 1, warmUp: false },
  );
  return {
    what: `\`images delete\` of ${removed.length} of ${images.length} images, then \`images prune\``,
    against: '`podman rmi` of as many',
    metric: 'time',
    ours: deletion.map((sample, index) => addSamples(sample, prune[index])),
    other,
  };
}

function addSamples(first: Sample, second: Sample | undefined): Sample {
  if (second === undefined) throw new Error('a round with one half');
  return { wallMs: first.wallMs + second.wallMs, cpuMs: first.cpuMs + second.cpuMs };
}
