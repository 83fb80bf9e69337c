/** The lines of the benchmark, in the order of the table. */
import type { Bench } from './bench.ts';
import type { Comparison } from './comparison.ts';
import { measureContainersList } from './lines/containers-list.ts';
import { measureDisk } from './lines/disk.ts';
import { measureImagesScale } from './lines/images-scale.ts';
import { measureInstall } from './lines/install.ts';
import { measurePullFourLayers, measurePullOneLayer, measurePullSixtyLayers } from './lines/pull.ts';
import { measurePullMemory } from './lines/pull-memory.ts';
import { measurePullUpdate } from './lines/pull-update.ts';
import { measureVersion } from './lines/version.ts';

/** Each returns one row of the table or more. */
const lines: Readonly<Record<string, (bench: Bench) => Promise<Comparison[]>>> = {
  'pull-one-layer': measurePullOneLayer,
  'pull-four-layers': measurePullFourLayers,
  'pull-sixty-layers': measurePullSixtyLayers,
  'pull-update': measurePullUpdate,
  'pull-memory': measurePullMemory,
  install: measureInstall,
  disk: measureDisk,
  'images-scale': measureImagesScale,
  'containers-list': measureContainersList,
  version: measureVersion,
};

export const lineNames: readonly string[] = Object.keys(lines);

export async function measureLine(name: string, bench: Bench): Promise<Comparison[]> {
  const measure = lines[name];
  if (measure === undefined) throw new Error(`no line ${name}`);
  return measure(bench);
}
