/** The installation of an image that was pulled before, against hard links of the same tree; in the disposable host. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { createAtomic } from '../engines.ts';
import { type InsideRequest, type InsideSamples, runInHost } from '../host.ts';
import { type Command, measureRounds, run } from '../measure.ts';

const STORE = 'install-store';

export async function measureInstall(bench: Bench): Promise<Comparison[]> {
  const image = await bench.images.rootInOneLayer();
  await run(bench.atomic.command(bench.folder.join(STORE), ['pull', image]));
  const {
    install = [],
    copy = [],
    systemd = [],
  } = await runInHost(bench, 'install', { image, store: STORE });
  return [
    {
      what: '`install` of that image',
      against: '`cp -al` of the same tree',
      aim: 4,
      metric: 'time',
      ours: install,
      other: copy,
    },
    {
      what: '`systemctl daemon-reload` and `systemctl enable` alone',
      against: '`install`, which has both in it',
      metric: 'time',
      ours: systemd,
      other: install,
    },
  ];
}

export async function measureInstallInside(request: InsideRequest): Promise<InsideSamples> {
  const atomic = createAtomic(request, '/usr/bin/atomic');
  const store = join(request.folder, request.store);
  const install = (name: string): Command =>
    atomic.command(store, ['install', '--system', '--name', name, request.image]);
  await run(install('tree'));
  const copies = join(request.folder, 'copies');
  mkdirSync(copies);
  return measureRounds(
    {
      install: (round) => install(`bench-${round}`),
      copy: (round) => ({
        argv: ['cp', '-al', join(store, 'tree.0/rootfs'), join(copies, String(round))],
        env: request.env,
      }),
      systemd: (round) => buildSystemdCommand(`bare-${round}`, request),
    },
    { rounds: request.pairs },
  );
}

/** Creates a unit, which is not measured, and returns the commands that register it with systemd. */
function buildSystemdCommand(name: string, { env }: InsideRequest): Command {
  const unit = '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n';
  writeFileSync(`/etc/systemd/system/${name}.service`, unit);
  return { argv: ['sh', '-c', `systemctl daemon-reload && systemctl --no-reload enable ${name}`], env };
}
