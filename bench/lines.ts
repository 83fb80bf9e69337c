/** The lines of the benchmark, in the order of the table. */
import type { Bench } from './bench.ts';
import type { Comparison } from './comparison.ts';
import { measureBoot } from './lines/boot.ts';
import { measureContainersList } from './lines/containers-list.ts';
import { measureDisk } from './lines/disk.ts';
import { measureImagesScale } from './lines/images-scale.ts';
import { measureInstall } from './lines/install.ts';
import {
  measurePullCurrent,
  measurePullFourLayers,
  measurePullOneLayer,
  measurePullSixtyLayers,
} from './lines/pull.ts';
import { measurePullMemory } from './lines/pull-memory.ts';
import { measurePullUpdate } from './lines/pull-update.ts';
import { measureStartCrun, measureStartRunc } from './lines/start.ts';
import { measureUpdate, measureUpdateMany } from './lines/update.ts';
import { measureVersion } from './lines/version.ts';

/** Each returns one row of the table or more. */
type Measure = (bench: Bench) => Promise<Comparison[]>;

/** Lines that leave nothing behind but stores: one host, one registry and one set of images serve all of them. */
const sharing: Readonly<Record<string, Measure>> = {
  'pull-one-layer': measurePullOneLayer,
  'pull-four-layers': measurePullFourLayers,
  'pull-sixty-layers': measurePullSixtyLayers,
  'pull-update': measurePullUpdate,
  'pull-current': measurePullCurrent,
  'pull-memory': measurePullMemory,
  install: measureInstall,
  disk: measureDisk,
  'images-scale': measureImagesScale,
  version: measureVersion,
};

/** Lines with many units, each in a host of its own. */
const separate: Readonly<Record<string, Measure>> = {
  'containers-list': measureContainersList,
  update: measureUpdate,
  'update-many': measureUpdateMany,
  'start-runc': measureStartRunc,
  'start-crun': measureStartCrun,
  boot: measureBoot,
};

const lines: Readonly<Record<string, Measure>> = { ...sharing, ...separate };

export const lineNames: readonly string[] = Object.keys(lines);

/** @returns the names by the host in which they are measured */
export function groupLines(names: readonly string[]): string[][] {
  const shared = names.filter((name) => name in sharing);
  const alone = names.filter((name) => name in separate).map((name) => [name]);
  return shared.length === 0 ? alone : [shared, ...alone];
}

export async function measureLine(name: string, bench: Bench): Promise<Comparison[]> {
  const measure = lines[name];
  if (measure === undefined) throw new Error(`no line ${name}`);
  return measure(bench);
}
