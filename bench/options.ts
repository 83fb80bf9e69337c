import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lineNames } from './lines.ts';

export interface BenchOptions {
  /** Measured pairs of each line; short commands are run ten times as often. */
  readonly pairs: number;
  /** Names of the lines to measure. */
  readonly lines: readonly string[];
  /** Of Debian, in whose files the programs run. */
  readonly release: string;
  /** Whether the results are kept; a quick run is only printed. */
  readonly keep: boolean;
  /** Whether to measure on a machine that has other work. */
  readonly busy: boolean;
}

const DEFAULT_PAIRS = 5;
const QUICK_PAIRS = 1;
const PACKAGES = fileURLToPath(new URL('../scripts/debian-packages', import.meta.url));

const help = `usage: npm run bench -- [--release RELEASE] [--pairs N] [--quick] [--busy] [LINE]...

Measures atomic against other programs, in pairs, in a disposable host of a Debian release. Prints medians and ratios, keeps
the raw numbers in bench/results/RELEASE.json and rewrites the table of the release in docs/performance.md. Needs root and a
quiet machine.

  LINE               only these lines; the others keep their results
  --release RELEASE  bookworm or trixie; default that of the machine
  --pairs N          pairs of each line; default ${DEFAULT_PAIRS}
  --quick            ${QUICK_PAIRS} pair, printed and not kept
  --busy             measure although other programs run; the table says so

lines: ${lineNames.join(', ')}`;

/**
 * @returns `help` when it was asked for
 * @throws Error with one line for the person
 */
export function parseOptions(args: readonly string[]): BenchOptions | { readonly help: string } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      pairs: { type: 'string' },
      release: { type: 'string' },
      quick: { type: 'boolean', default: false },
      busy: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { help };
  const pairs = values.pairs ?? String(values.quick ? QUICK_PAIRS : DEFAULT_PAIRS);
  if (!/^[1-9][0-9]*$/.test(pairs)) throw new Error(`--pairs ${pairs}: not a positive number`);
  const unknown = positionals.find((name) => !lineNames.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown}: not one of ${lineNames.join(', ')}`);
  const [own = '', ...releases] = readReleases();
  const release = values.release ?? own;
  if (!releases.includes(release)) throw new Error(`--release ${release}: known are ${releases.join(', ')}`);
  const lines = positionals.length === 0 ? lineNames : lineNames.filter((name) => positionals.includes(name));
  return { pairs: Number(pairs), lines, release, keep: !values.quick, busy: values.busy };
}

/** That of the machine, empty when it is not Debian, and then all that are known. */
function readReleases(): string[] {
  const script =
    '. "$0"; own_release; [[ -n $(own_release) ]] || echo; printf "%s\\n" "${debian_releases[@]}"';
  return execFileSync('bash', ['-c', script, PACKAGES], { encoding: 'utf8' }).trimEnd().split('\n');
}
