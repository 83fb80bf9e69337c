/** The start of many services at once, until systemd calls all of them active. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { measureRounds } from '../measure.ts';
import { installServices, type Services, stopServices } from '../services.ts';

const COUNT = 16;

export async function measureStartRunc(bench: Bench): Promise<Comparison[]> {
  return measureStart(bench, 'runc', 0.4);
}

export async function measureStartCrun(bench: Bench): Promise<Comparison[]> {
  return measureStart(bench, 'crun', 0.17);
}

async function measureStart(bench: Bench, runtime: string, aim: number): Promise<Comparison[]> {
  const services = await installServices(bench, COUNT, runtime);
  const bare = buildBareStart(bench, services, runtime);
  const { ours, other, runtimes } = await measureRounds(
    {
      ours: () => {
        stopServices(services.ours);
        return services.systemctl('start', ...services.ours);
      },
      other: () => {
        stopServices([...services.ours, ...services.other]);
        return services.systemctl('start', ...services.other);
      },
      runtimes: () => {
        stopServices([...services.ours, ...services.other]);
        bare.stop();
        return bare.start;
      },
    },
    { rounds: bench.pairs },
  );
  bare.stop();
  const what = `start of ${COUNT} services under ${runtime} at once`;
  return [
    { what, against: 'the same as units of podman', aim, metric: 'time', ours, other },
    {
      what,
      against: `\`${runtime} run\` of the same bundles at once`,
      aim: 1.05,
      metric: 'time',
      ours,
      other: runtimes,
    },
  ];
}

/** The runtime alone, all at once, until each has started its container. */
function buildBareStart(bench: Bench, services: Services, runtime: string) {
  const root = `/run/bench-${runtime}`;
  const bundle = (name: string): string => `${bench.folder.join(`services-${runtime}`, name)}`;
  const starts = services.ours.map(
    (name) =>
      `${runtime} --root ${root} run --detach --bundle ${bundle(name)} ${name} </dev/null >/dev/null 2>&1 &`,
  );
  const script = bench.folder.join('start-bare');
  writeFileSync(script, `${starts.join('\n')}\nwait\n`);
  return {
    start: { argv: ['sh', script], env: bench.env },
    stop(): void {
      for (const name of services.ours) {
        execFileSync('sh', [
          '-c',
          `${runtime} --root ${root} delete --force ${name} >/dev/null 2>&1 || true`,
        ]);
      }
    },
  };
}
