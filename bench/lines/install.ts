/** The installation of an image that was pulled before, against what it does at the least. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { type Command, measureRounds, run } from '../measure.ts';

/** What systemd gets to know of a new unit. */
const systemdCommands = (name: string): string =>
  `systemctl --no-reload enable ${name} && systemctl daemon-reload`;

export async function measureInstall(bench: Bench): Promise<Comparison[]> {
  const image = await bench.images.rootInOneLayer();
  const store = bench.folder.join('install-store');
  await run(bench.atomic.command(store, ['pull', image]));
  const install = (name: string): Command =>
    bench.atomic.command(store, ['install', '--system', '--no-lint', '--name', name, image]);
  await run(install('tree'));
  const copies = bench.folder.join('copies');
  mkdirSync(copies);
  const { ours, copy, systemd } = await measureRounds(
    {
      ours: (round) => install(`bench-${round}`),
      copy: (round) => {
        const name = writeUnit(`copy-${round}`);
        const link = `cp -al ${join(store, 'tree.0/rootfs')} ${join(copies, String(round))}`;
        return { argv: ['sh', '-c', `${link} && ${systemdCommands(name)}`], env: bench.env };
      },
      systemd: (round) => ({
        argv: ['sh', '-c', systemdCommands(writeUnit(`bare-${round}`))],
        env: bench.env,
      }),
    },
    { rounds: bench.pairs },
  );
  return [
    {
      what: '`install` of 6,700 files',
      against: '`cp -al` of the same tree, `systemctl enable` and `systemctl daemon-reload`',
      aim: 1.5,
      metric: 'time',
      ours,
      other: copy,
    },
    {
      what: '`systemctl enable` and `systemctl daemon-reload` alone',
      against: '`install`, which has both in it',
      metric: 'time',
      ours: systemd,
      other: ours,
    },
  ];
}

/** It is not measured. */
function writeUnit(name: string): string {
  const unit = '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n';
  writeFileSync(`/etc/systemd/system/${name}.service`, unit);
  return name;
}
