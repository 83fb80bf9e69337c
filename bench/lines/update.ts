/** A new version of services that run, and the question whether there is one. */
import { execFileSync } from 'node:child_process';
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { type Command, measureRounds, run, type Sample } from '../measure.ts';
import { installServices, type Services, startServices } from '../services.ts';

const MANY = 20;
/** Each takes a quarter of a minute. */
const MOST_ROUNDS_OF_MANY = 3;
/** What podman does after a start: nothing. */
const NO_SETTLING = ['--settle', '0'];

/** One service: one command fetches and updates, and the service has started again. And how long it did not run meanwhile. */
export async function measureUpdate(bench: Bench): Promise<Comparison[]> {
  const services = await installServices(bench, 1, 'crun');
  startServices([...services.ours, ...services.other]);
  const gaps: Record<'ours' | 'other' | 'restart', Sample[]> = { ours: [], other: [], restart: [] };
  const samples: Record<'ours' | 'other', Sample[]> = { ours: [], other: [] };
  // The first round is not counted.
  for (let round = 0; round <= bench.pairs; round++) {
    await bench.images.pushService();
    // Forgets the starts of the rounds before: systemd refuses the sixth within ten seconds.
    await run(services.systemctl('reset-failed', 'a1', 'p1'));
    const ours = await measureOnce(services.atomic('containers', 'update', '--pull', ...NO_SETTLING, 'a1'));
    const oursGap = readGap('a1');
    const other = await measureOnce(services.podman('auto-update'));
    const otherGap = readGap('p1');
    await run(services.systemctl('restart', 'a1'));
    if (round === 0) continue;
    samples.ours.push(ours);
    samples.other.push(other);
    gaps.ours.push(oursGap);
    gaps.other.push(otherGap);
    gaps.restart.push(readGap('a1'));
  }
  const what = 'time without the service in that update';
  const metric = 'time' as const;
  return [
    {
      what: 'update of a service to a new version in the registry',
      against: '`podman auto-update`',
      aim: 0.7,
      metric,
      ...samples,
    },
    { what, against: '`podman auto-update`', aim: 0.4, metric, ours: gaps.ours, other: gaps.other },
    { what, against: '`systemctl restart` of it', moreMs: 20, metric, ours: gaps.ours, other: gaps.restart },
  ];
}

/** Many services: nothing is new; then each has a new version. */
export async function measureUpdateMany(bench: Bench): Promise<Comparison[]> {
  const services = await installServices(bench, MANY, 'crun');
  startServices([...services.ours, ...services.other]);
  const check = await measureRounds(
    {
      ours: () => services.atomic('containers', 'check', '--all'),
      other: () => services.podman('auto-update', '--dry-run'),
    },
    { rounds: bench.pairs, sync: false },
  );
  const metric = 'time' as const;
  const rows: Comparison[] = [
    {
      what: `${MANY} containers checked for a new version, none is new`,
      against: '`podman auto-update --dry-run`',
      aim: 0.5,
      metric,
      ...check,
    },
  ];
  for (const [how, options] of listWays()) {
    const samples: Record<'ours' | 'other', Sample[]> = { ours: [], other: [] };
    for (let round = 0; round < Math.min(bench.pairs, MOST_ROUNDS_OF_MANY); round++) {
      await bench.images.pushService();
      samples.ours.push(await measureOnce(buildUpdate(bench, services, options)));
      samples.other.push(await measureOnce(services.podman('auto-update')));
    }
    rows.push({
      what: `update of ${MANY} containers, ${how}`,
      against: '`podman auto-update`',
      aim: 0.5,
      metric,
      ...samples,
    });
  }
  return rows;
}

/** `--together` where this version of the program knows it. */
function listWays(): readonly (readonly [how: string, options: readonly string[]])[] {
  const help = execFileSync('atomic', ['containers', 'update', '--help'], { encoding: 'utf8' });
  const together = ['all at once with `--together`', ['--together']] as const;
  return [['one by one', []], ...(help.includes('--together') ? [together] : [])];
}

function buildUpdate(bench: Bench, services: Services, options: readonly string[]): Command {
  const names = services.ours;
  const quote = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');
  const fetch = services.atomic('containers', 'fetch', ...names);
  const update = services.atomic('containers', 'update', ...NO_SETTLING, ...options, ...names);
  const script = `${quote(fetch.argv)} && ${quote(update.argv)}`;
  return { argv: ['sh', '-c', script], env: { ...bench.env, ...update.env } };
}

/** Who is first does not matter: both find the version in the registry, and nothing of the other. */
async function measureOnce(command: Command): Promise<Sample> {
  const { only } = await measureRounds({ only: () => command }, { rounds: 1, warmUp: false });
  const [sample] = only;
  if (sample === undefined) throw new Error('nothing was measured');
  return sample;
}

/** From the moment when the service began to stop until it was active again. */
function readGap(name: string): Sample {
  const properties = ['ActiveExitTimestampMonotonic', 'ActiveEnterTimestampMonotonic'];
  const text = execFileSync('systemctl', ['show', `--property=${properties.join(',')}`, name], {
    encoding: 'utf8',
  });
  const [exit = 0, enter = 0] = properties.map((property) =>
    Number(new RegExp(`^${property}=(\\d+)$`, 'm').exec(text)?.[1]),
  );
  if (!(enter > exit)) throw new Error(`${name} was not started again: ${text}`);
  return { wallMs: (enter - exit) / 1000, cpuMs: 0 };
}
