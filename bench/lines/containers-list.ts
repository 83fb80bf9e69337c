/** The list of 20 containers, all of them stopped; in the disposable host, where systemd knows ours. */
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { createAtomic, createPodman } from '../engines.ts';
import { type InsideRequest, type InsideSamples, runInHost } from '../host.ts';
import { measureRounds, run, SHORT_COMMAND_FACTOR } from '../measure.ts';

const COUNT = 20;
const STORE = 'list-atomic';
const PODMAN_STORE = 'list-podman';

export async function measureContainersList(bench: Bench): Promise<Comparison[]> {
  const [image = ''] = await bench.images.smallImages(1);
  await run(bench.atomic.command(bench.folder.join(STORE), ['pull', image]));
  await run(bench.podman.command(bench.folder.join(PODMAN_STORE), ['pull', image]));
  const { ours = [], other = [] } = await runInHost(bench, 'containers-list', { image, store: STORE });
  const what = `\`containers list -a\` of ${COUNT} containers`;
  return [{ what, against: '`podman ps -a`', aim: 1, metric: 'time', ours, other }];
}

export async function measureContainersListInside(request: InsideRequest): Promise<InsideSamples> {
  const { folder, image, pairs } = request;
  const [atomic, podman] = [createAtomic(request, '/usr/bin/atomic'), createPodman(request)];
  const stores = { ours: join(folder, STORE), other: join(folder, PODMAN_STORE) };
  for (let number = 0; number < COUNT; number++) {
    const name = `bench-${number}`;
    await run(atomic.command(stores.ours, ['install', '--system', '--name', name, image]));
    await run(podman.command(stores.other, ['create', '--network', 'none', '--name', name, image]));
  }
  return measureRounds(
    {
      ours: () => atomic.command(stores.ours, ['containers', 'list', '-a']),
      other: () => podman.command(stores.other, ['ps', '-a']),
    },
    { rounds: pairs * SHORT_COMMAND_FACTOR, sync: false },
  );
}
