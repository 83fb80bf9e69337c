/** The disk that ten successive versions of one image take, measured after each. */
import { execFileSync } from 'node:child_process';
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { run, type Sample } from '../measure.ts';

const VERSIONS = 10;

export async function measureDisk(bench: Bench): Promise<Comparison[]> {
  const layers = await bench.images.versions(VERSIONS);
  const rebuilt = await bench.images.rebuilds(VERSIONS);
  return [
    ...(await measureVersions(
      bench,
      'layers',
      layers,
      'a twentieth of 200 MB in a layer of its own is new each time',
    )),
    ...(await measureVersions(
      bench,
      'rebuilt',
      rebuilt,
      'one layer of 20 MB, a twentieth of its files new each time',
    )),
  ];
}

async function measureVersions(
  bench: Bench,
  name: string,
  images: readonly string[],
  kind: string,
): Promise<Comparison[]> {
  const folders = { ours: bench.folder.join(`disk-${name}-a`), other: bench.folder.join(`disk-${name}-p`) };
  const samples: { ours: Sample[]; other: Sample[] } = { ours: [], other: [] };
  for (const image of images) {
    await run(bench.atomic.command(folders.ours, ['pull', image]));
    await run(bench.podman.command(folders.other, ['pull', image]));
    samples.ours.push(readDisk(folders.ours));
    samples.other.push(readDisk(folders.other));
  }
  const what = `disk of ${VERSIONS} versions: ${kind}`;
  return [{ what, against: "podman's overlay store, after each", aim: 1, metric: 'disk', ...samples }];
}

/** Blocks that are allocated, each once however many links lead to it. */
function readDisk(folder: string): Sample {
  execFileSync('sync');
  const text = execFileSync('du', ['--summarize', '--block-size=1', folder], { encoding: 'utf8' });
  return { wallMs: 0, cpuMs: 0, diskBytes: Number.parseInt(text, 10) };
}
