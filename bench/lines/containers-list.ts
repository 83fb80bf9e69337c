/** The lists of many containers, all of them stopped. */
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { measureRounds, run, SHORT_COMMAND_FACTOR } from '../measure.ts';

/** How many containers, and the ratio that is wanted. */
const COUNTS = [
  [20, 0.5],
  [200, 0.3],
] as const;

export async function measureContainersList(bench: Bench): Promise<Comparison[]> {
  const [image = ''] = await bench.images.smallImages(1);
  const stores = { ours: bench.folder.join('list-atomic'), other: bench.folder.join('list-podman') };
  await run(bench.atomic.command(stores.ours, ['pull', image]));
  await run(bench.podman.command(stores.other, ['pull', image]));
  const rows: Comparison[] = [];
  let made = 0;
  for (const [count, aim] of COUNTS) {
    for (; made < count; made++) {
      const name = `bench-${made}`;
      await run(
        bench.atomic.command(stores.ours, ['install', '--system', '--no-lint', '--name', name, image]),
      );
      await run(bench.podman.command(stores.other, ['create', '--network', 'none', '--name', name, image]));
    }
    const samples = await measureRounds(
      {
        ours: () => bench.atomic.command(stores.ours, ['containers', 'list', '-a']),
        other: () => bench.podman.command(stores.other, ['ps', '-a']),
      },
      { rounds: bench.pairs * SHORT_COMMAND_FACTOR, sync: false },
    );
    const what = `\`containers list -a\` of ${count} containers`;
    rows.push({ what, against: '`podman ps -a`', aim, metric: 'time', ...samples });
  }
  return rows;
}
