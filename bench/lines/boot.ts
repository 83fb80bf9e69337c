/**
 * A boot with many enabled services, until systemd calls all of them active. A second systemd starts on the files of the
 * host, in a container.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import type { Sample } from '../measure.ts';
import { installServices, type Services } from '../services.ts';

const COUNT = 16;
const UNIT = 'bench-boot.service';
const ROOT = '/run/bench-boot';
const QUADLETS = '/etc/containers/systemd';
/** The package of atomic enables it, and the boot waits for it. */
const RECOVER = 'atomic-recover.service';
const RECOVER_FILE = fileURLToPath(new URL(`../../packaging/systemd/${RECOVER}`, import.meta.url));

/** The second systemd gets its own /dev, /proc, /run, /sys and /tmp, and everything else of the host. */
const bootScript = `set -e
mount --make-rprivate /
mkdir -p ${ROOT}
mount --rbind / ${ROOT}
umount --lazy ${ROOT}/dev ${ROOT}/proc ${ROOT}/run ${ROOT}/sys ${ROOT}/tmp
exec systemd-nspawn --quiet --machine=bench-boot --directory=${ROOT} --boot --notify-ready=yes --keep-unit --register=no \\
  --link-journal=no --private-network --capability=all '--system-call-filter=@keyring bpf @mount' --tmpfs=/var/log "$@"
`;

/** Whose services the boot starts. */
const programs = ['ours', 'other', 'none'] as const;
type Program = (typeof programs)[number];

export async function measureBoot(bench: Bench): Promise<Comparison[]> {
  const services = await installServices(bench, COUNT, 'crun');
  installRecovery(services);
  const script = bench.folder.join('boot');
  writeFileSync(script, bootScript);
  const samples: Record<Program, Sample[]> = { ours: [], other: [], none: [] };
  // The first round is not counted.
  for (let round = 0; round <= bench.pairs; round++) {
    const first = round % programs.length;
    for (const program of [...programs.slice(first), ...programs.slice(0, first)]) {
      const hidden = enableOnly(services, program);
      const watched = program === 'none' ? ['basic.target'] : services[program];
      const sample = measureOnce(['sh', script, ...hidden], watched);
      if (round > 0) samples[program].push(sample);
    }
  }
  const what = `boot with ${COUNT} services under crun, until all are active`;
  const { ours, other, none } = samples;
  return [
    { what, against: 'the same as units of podman', aim: 0.5, metric: 'time', ours, other },
    { what, against: 'boot without services, until `basic.target`', metric: 'time', ours, other: none },
  ];
}

function installRecovery(services: Services): void {
  const file = `/etc/systemd/system/${RECOVER}`;
  const places = Object.entries(services.atomic().env).filter(([name]) => name.startsWith('ATOMIC_'));
  const lines = places.map(([name, value]) => `Environment=${name}=${value}\n`);
  mkdirSync(`${file}.d`);
  writeFileSync(`${file}.d/store.conf`, `[Service]\n${lines.join('')}`);
  writeFileSync(file, readFileSync(RECOVER_FILE));
  execFileSync('systemctl', ['daemon-reload']);
}

/** @returns the options of systemd-nspawn that hide Quadlets: `systemctl disable` does not know them */
function enableOnly(services: Services, program: Program): string[] {
  const areQuadlets = existsSync(`${QUADLETS}/${services.other[0]}.container`);
  const units = {
    ours: [RECOVER, ...services.ours],
    other: areQuadlets ? [] : services.other,
    none: [],
  };
  execFileSync('systemctl', ['--quiet', 'disable', ...units.ours, ...units.other]);
  if (units[program].length > 0) execFileSync('systemctl', ['--quiet', 'enable', ...units[program]]);
  return areQuadlets && program !== 'other' ? [`--tmpfs=${QUADLETS}`] : [];
}

/** From the start of the second systemd until the last unit is active. */
function measureOnce(boot: readonly string[], units: readonly string[]): Sample {
  execFileSync('sync');
  const properties = ['PrivateMounts=yes', 'Delegate=yes', 'KillMode=mixed'].map(
    (text) => `--property=${text}`,
  );
  // Returns when the boot is over.
  execFileSync('systemd-run', [`--unit=${UNIT}`, '--quiet', '--service-type=notify', ...properties, ...boot]);
  const [nspawn = ''] = readProperty([], 'MainPID', [UNIT]);
  const leader = readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, 'utf8').trim();
  const enter = ['nsenter', '--target', leader, '--all'];
  // A shell that is process 1 ignores SIGTERM until it has read its `trap`.
  Bun.sleepSync(500);
  const states = readProperty(enter, 'ActiveState', units);
  const moments = readProperty(enter, 'ActiveEnterTimestampMonotonic', units).map(Number);
  const [start = 0] = readProperty(enter, 'UserspaceTimestampMonotonic', []).map(Number);
  execFileSync('systemctl', ['stop', UNIT]);
  if (states.length !== units.length || states.some((state) => state !== 'active')) {
    throw new Error(`not every service is active after the boot: ${states.join(' ')}`);
  }
  return { wallMs: (Math.max(...moments) - start) / 1000, cpuMs: 0 };
}

/** @returns the value of each unit, or that of systemd itself */
function readProperty(enter: readonly string[], property: string, units: readonly string[]): string[] {
  const [program = '', ...args] = [...enter, 'systemctl', 'show', '--value', `--property=${property}`];
  return execFileSync(program, [...args, ...units], { encoding: 'utf8' })
    .trim()
    .split(/\n+/);
}
