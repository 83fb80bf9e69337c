/** The start of the program, against a program of the same runtime that does nothing. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../bench.ts';
import type { Comparison } from '../comparison.ts';
import { builtAtomic } from '../engines.ts';
import { measureRounds, SHORT_COMMAND_FACTOR } from '../measure.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

export async function measureVersion(bench: Bench): Promise<Comparison[]> {
  const { env } = bench;
  const empty = bench.folder.join('empty');
  writeFileSync(`${empty}.ts`, '');
  execFileSync(process.execPath, ['scripts/build.ts', `${empty}.ts`, empty], {
    cwd: CHECKOUT,
    stdio: 'inherit',
  });
  const { ours, other } = await measureRounds(
    {
      ours: () => ({ argv: [builtAtomic, '--version'], env }),
      other: () => ({ argv: [empty], env }),
    },
    { rounds: bench.pairs * SHORT_COMMAND_FACTOR, sync: false },
  );
  const what = '`atomic --version`';
  return [{ what, against: 'an empty Bun program', aim: 3, metric: 'time', ours, other }];
}
